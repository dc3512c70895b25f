import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const packages = join(import.meta.dirname, "../../..");
const root = dirname(packages);

export interface CompiledWorkspace extends AsyncDisposable {
  /** Returns the standard output of a script that Node runs in the facade's folder. */
  run(script: string): Promise<string>;
}

/**
 * Compiles the facade and the packages under it, from the current sources, into a new folder of plain JavaScript. Node
 * can load them without a test runner, and without a build that may be old or missing. They resolve each other and the
 * installed packages, including those of the SDK.
 *
 * @param openTelemetry a folder of packages to resolve as `@opentelemetry/*` instead.
 */
export async function compileWorkspace(openTelemetry?: string): Promise<CompiledWorkspace> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "nidus-compiled-")));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const manifests = await manifestsUnder("@nidus/observability");
    await compile([...manifests.keys()], folder);
    await mkdir(join(folder, "node_modules/@nidus"), { recursive: true });
    for (const [name, manifest] of manifests) await install(name, manifest, folder, openTelemetry);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    async run(script) {
      const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
        cwd: join(folder, "observability"),
      });
      return stdout;
    },
    [Symbol.asyncDispose]: remove,
  };
}

interface Manifest {
  readonly name: string;
  readonly exports: Record<string, { readonly "@nidus/source": string }>;
  readonly dependencies?: Record<string, string>;
}

/** Returns the manifests of a package and of its dependencies, by folder. */
async function manifestsUnder(
  name: string,
  found = new Map<string, Manifest>(),
): Promise<Map<string, Manifest>> {
  const folder = name.replace("@nidus/", "");
  if (found.has(folder)) return found;
  const manifest = JSON.parse(await readFile(join(packages, folder, "package.json"), "utf8")) as Manifest;
  found.set(folder, manifest);
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (dependency.startsWith("@nidus/")) await manifestsUnder(dependency, found);
  }
  return found;
}

async function compile(names: readonly string[], folder: string): Promise<void> {
  const compilerOptions = {
    rootDir: packages,
    outDir: folder,
    noEmit: false,
    noCheck: true,
    declaration: false,
    isolatedDeclarations: false,
    types: [],
  };
  const project = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions,
    include: names.map((name) => join(packages, name, "src")),
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(project));
  const compiler = createRequire(join(root, "package.json")).resolve("typescript/package.json");
  await run(process.execPath, [join(dirname(compiler), "bin/tsc"), "-p", folder]);
}

/** Writes a manifest whose exports lead to the compiled files, and links to the installed dependencies of the real package. */
async function install(
  folderName: string,
  { name, exports }: Manifest,
  folder: string,
  openTelemetry: string | undefined,
): Promise<void> {
  const compiled = join(folder, folderName);
  const compiledExports = Object.fromEntries(
    Object.entries(exports).map(([path, conditions]) => [
      path,
      conditions["@nidus/source"].replace(/\.ts$/, ".js"),
    ]),
  );
  await writeFile(
    join(compiled, "package.json"),
    JSON.stringify({ name, type: "module", exports: compiledExports }),
  );
  await symlink(compiled, join(folder, "node_modules", name));
  const installed = join(packages, folderName, "node_modules");
  if (!existsSync(installed)) return;
  await mkdir(join(compiled, "node_modules"));
  for (const entry of await readdir(installed)) {
    if (entry === "@nidus") continue;
    const target = (entry === "@opentelemetry" && openTelemetry) || join(installed, entry);
    await symlink(target, join(compiled, "node_modules", entry));
  }
}
