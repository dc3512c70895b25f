import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

const unfinishedPrefix = "nidus.making.";
const unfinished = /^nidus\.making\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Finds the database in a folder that this process has locked, or makes one. It makes the database in a folder beside its final place
 * and moves it when it is complete, so that a killed process leaves no half-made database. It removes nothing but such leftovers.
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
  if (content.length > 0) throw new Error(`${path} holds something other than a PostgreSQL database`);
  const made = join(folder, `${unfinishedPrefix}${randomUUID()}`);
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

/** Lists a folder. Resolves to an empty array if the folder does not exist. */
async function contentOf(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
