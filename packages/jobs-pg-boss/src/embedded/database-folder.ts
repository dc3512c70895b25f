import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

const making = "nidus.making.";
const unfinished = /^nidus\.making\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Finds the database in a folder that this process has locked, or has one made. A database is made beside its place and moved there
 * when it is whole, so that a process that is killed meanwhile leaves no half of one. Nothing but such halves is ever removed.
 *
 * @throws (rejects with) Error if the place of the database holds something else.
 */
export async function databaseFolder(folder: string, make: (path: string) => Promise<void>): Promise<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && unfinished.test(entry.name)) {
      await rm(join(folder, entry.name), { recursive: true, force: true });
    }
  }
  const path = join(folder, "postgres");
  const content = await contentOf(path);
  if (content.includes("PG_VERSION")) return path;
  if (content.length > 0) throw new Error(`${path} holds something else than a database of PostgreSQL`);
  const made = join(folder, `${making}${randomUUID()}`);
  try {
    await mkdir(made, { mode: 0o700 });
    await make(made);
    await rename(made, path);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
  return path;
}

/** Nothing for a folder that does not exist. */
async function contentOf(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
