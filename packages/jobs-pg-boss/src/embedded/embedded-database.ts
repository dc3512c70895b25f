import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SqlDatabase } from "../pg-boss-like.ts";
import { lockFolder } from "./folder-lock.ts";

/** A PostgreSQL within this process, in a folder that it has to itself. */
export interface EmbeddedDatabase extends SqlDatabase {
  close(): Promise<void>;
}

/**
 * Opens PGlite in a folder, which is made if it is not there.
 *
 * @throws (rejects with) Error if another process has the folder, or if PGlite is not installed.
 */
export async function openEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase> {
  const { PGlite } = await import("@electric-sql/pglite");
  const unlock = await lockFolder(folder);
  try {
    const data = join(folder, "postgres");
    await initialise(data, async (path) => (await PGlite.create(path)).close());
    const pglite = await PGlite.create(data);
    return {
      async executeSql(text, values) {
        if (values !== undefined && values.length > 0) return pglite.query(text, values);
        try {
          // Several statements in one text: their rows one after the other.
          return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
        } catch (error) {
          // There is one connection: a transaction that failed half-way would swallow all that comes after it.
          await pglite.exec("ROLLBACK");
          throw error;
        }
      },
      async close() {
        await pglite.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Makes a database beside its place, and moves it there when it is whole: a process that is killed meanwhile leaves no half of one. */
async function initialise(data: string, make: (path: string) => Promise<void>): Promise<void> {
  if (await exists(data)) return;
  const parent = join(data, "..");
  const leftovers = (await readdir(parent)).filter((name) => name.startsWith("postgres.new"));
  for (const name of leftovers) await rm(join(parent, name), { recursive: true });
  const made = join(parent, `postgres.new.${process.pid}`);
  await mkdir(made, { mode: 0o700 });
  await make(made);
  await rename(made, data);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
