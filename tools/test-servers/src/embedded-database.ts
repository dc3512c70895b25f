import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PGlite } from "@electric-sql/pglite";

const cacheFolder = fileURLToPath(new URL("../node_modules/.cache", import.meta.url));

/** Opens an empty PGlite in memory. It loads an archive, since making a database takes seconds of computing. */
export async function embeddedDatabase(): Promise<PGlite> {
  return PGlite.create({ loadDataDir: new Blob([await readFile(await emptyDatabase())]) });
}

/** Puts an empty database where an engine with `dataDir: folder` looks for one, so that it need not make it. */
export async function prepareEmbeddedFolder(folder: string): Promise<void> {
  const place = join(folder, "postgres");
  await mkdir(place, { recursive: true, mode: 0o700 });
  await promisify(execFile)("tar", ["-xf", await emptyDatabase(), "-C", place]);
}

/** Makes the archive of an empty database once per version of PGlite. Resolves to its path. */
async function emptyDatabase(): Promise<string> {
  const path = join(cacheFolder, `empty-${versionOfPGlite()}.tar`);
  if (existsSync(path)) return path;
  const made = `${path}.${crypto.randomUUID()}`;
  const pglite = await PGlite.create();
  try {
    await mkdir(cacheFolder, { recursive: true });
    await writeFile(made, Buffer.from(await (await pglite.dumpDataDir("none")).arrayBuffer()));
    // Other processes may make one at the same time: whichever comes last stays.
    await rename(made, path);
  } finally {
    await rm(made, { force: true });
    await pglite.close();
  }
  return path;
}

function versionOfPGlite(): string {
  const require = createRequire(import.meta.url);
  const main = require.resolve("@electric-sql/pglite");
  const { version } = require(join(main, "..", "..", "package.json")) as { version: string };
  return version;
}
