import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack, publishedPackages, run } from "checks";

/** A project outside of the repository. Disposing of it removes it. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
  /** The program that tries the packages. */
  readonly probe: string;
}

/**
 * Creates a project and installs the packed packages with their peers. The package.json of this program names the peers and their
 * ranges. Takes some seconds.
 *
 * @throws Error if a package cannot be packed or installed.
 */
export async function createProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-runtimes-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ name: "a-project", type: "module", private: true }),
    );
    const manifest = await readFile(new URL("../package.json", import.meta.url), "utf8");
    const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
    const tarballs = await Promise.all(
      publishedPackages()
        .filter(({ manifest: { name } }) => name in dependencies)
        .map((each) => pack(each, folder)),
    );
    const peers = Object.entries(dependencies)
      .filter(([, range]) => !range.startsWith("workspace:"))
      .map(([name, range]) => `${name}@${range}`);
    const installed = await run("npm", ["install", "--no-audit", "--no-fund", ...tarballs, ...peers], folder);
    if (!installed.isOk) throw new Error(`the packages were not installed: ${installed.output}`);
    await cp(fileURLToPath(new URL("./probe", import.meta.url)), join(folder, "probe"), { recursive: true });
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, probe: join(folder, "probe", "main.js"), [Symbol.asyncDispose]: remove };
}
