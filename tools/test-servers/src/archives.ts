import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../node_modules/.cache", import.meta.url));

/** Makes an archive of a name, unless there is one. Resolves to its path. */
export async function archiveOf(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(folder, `${name}.tar`);
  if (existsSync(path)) return path;
  const made = `${path}.${crypto.randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true });
    await make(made);
    // Other processes may make one at the same time: whichever comes last stays.
    await rename(made, path);
  } finally {
    await rm(made, { force: true });
  }
  return path;
}
