import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import webpack from "webpack";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const packages = join(root, "packages");
const tsc = join(root, "node_modules", ".bin", "tsc");
const run = promisify(execFile);

const program = `
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
const messageOf = (options) =>
  pgBossEngine({ runner: new ObservedJobRunner(), onError() {}, ...options }).then(() => "opened", String);
Promise.all([messageOf({ dataDir: "jobs" }), messageOf({ connectionString: "postgres://127.0.0.1:1/jobs" })])
  .then((messages) => console.log(JSON.stringify(messages)));
`;

/** A project that has pg-boss and the packages, and no PGlite. */
let project = "";
beforeAll(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), "nidus-bundle-")));
  const modules = join(project, "node_modules");
  for (const name of ["jobs-core", "jobs-observe", "jobs-durable", "jobs-pg-boss"]) {
    const [from, to] = [join(packages, name), join(modules, "@nidus", name)];
    await mkdir(to, { recursive: true });
    await copyFile(join(from, "package.json"), join(to, "package.json"));
    await run(tsc, ["-p", join(from, "tsconfig.build.json"), "--noCheck", "--outDir", join(to, "dist")]);
  }
  for (const name of ["pg", "pg-boss"]) {
    await symlink(join(packages, "jobs-pg-boss", "node_modules", name), join(modules, name));
  }
  await symlink(join(packages, "jobs-durable", "node_modules", "croner"), join(modules, "croner"));
  await writeFile(join(project, "app.js"), program);
}, 120_000);
afterAll(() => rm(project, { recursive: true }));

async function expectToRun(bundle: string): Promise<void> {
  const { stdout } = await run(process.execPath, [bundle], { cwd: project });
  const [embedded, server] = JSON.parse(stdout) as [string, string];
  expect(embedded).toMatch(/^Error: `dataDir` needs the package @electric-sql\/pglite: npm install /);
  expect(server).toMatch(/127\.0\.0\.1:1\/jobs is unreachable .*ECONNREFUSED/);
}

describe("a bundle without PGlite", { timeout: 120_000 }, () => {
  it.each([false, true])("of esbuild runs, and says what to install (minified: %s)", async (minify) => {
    const outfile = join(project, `esbuild-${minify}.cjs`);
    const options = { bundle: true, platform: "node", format: "cjs", logLevel: "silent" } as const;
    const { errors } = await build({ ...options, entryPoints: [join(project, "app.js")], outfile, minify });
    expect(errors).toEqual([]);
    await expectToRun(outfile);
  });

  it("of webpack runs, and says what to install", async () => {
    const filename = "webpack.cjs";
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
      const output = { path: project, filename };
      const options = { mode: "development", target: "node20", devtool: false, output } as const;
      webpack({ ...options, entry: join(project, "app.js") }, (error, stats) =>
        error === null ? resolve(stats) : reject(error),
      );
    });
    expect(stats?.toJson({ errors: true }).errors).toEqual([]);
    await expectToRun(join(project, filename));
  });
});
