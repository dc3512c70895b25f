import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import { archiveOf } from "./archives.ts";

/**
 * Options of `initdb`. Databases of tests are small: with short logs and few buffers, they open in two thirds of the computing and
 * need half of the memory.
 */
const options = ["--wal-segsize=1", "--set=min_wal_size=2MB", "--set=shared_buffers=8MB"];

/** Opens an empty PGlite in memory. It loads an archive, since making a database takes seconds of computing. */
export async function embeddedDatabase(): Promise<PGlite> {
  return PGlite.create({ loadDataDir: new Blob([await readFile(await archiveOfEmptyDatabase())]) });
}

/** Puts an empty database where an engine with `dataDir: folder` looks for one, so that it need not make it. */
export async function prepareEmbeddedFolder(folder: string): Promise<void> {
  const place = join(folder, "postgres");
  await mkdir(place, { recursive: true, mode: 0o700 });
  await promisify(execFile)("tar", ["-xf", await archiveOfEmptyDatabase(), "-C", place]);
}

/** Makes the archive of an empty database once per version of PGlite. Resolves to its path. */
export function archiveOfEmptyDatabase(): Promise<string> {
  const name = [`empty-${versionOfPGlite()}`, ...options].join("-").replace(/[^\w.]+/g, "-");
  return archiveOf(name, async (path) => {
    const pglite = await PGlite.create({ initDbStartParams: options });
    try {
      await writeFile(path, Buffer.from(await (await pglite.dumpDataDir("none")).arrayBuffer()));
    } finally {
      await pglite.close();
    }
  });
}

function versionOfPGlite(): string {
  const require = createRequire(import.meta.url);
  const main = require.resolve("@electric-sql/pglite");
  const { version } = require(join(main, "..", "..", "package.json")) as { version: string };
  return version;
}
