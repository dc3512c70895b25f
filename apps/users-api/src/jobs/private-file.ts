import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";

/**
 * Writes a file that only its owner can read. Replaces an existing file in one step: readers always see a whole file.
 * The draft has an unpredictable name, and is never an existing file or link.
 */
export async function writePrivately(
  path: string,
  content: string | Buffer,
  signal: AbortSignal,
): Promise<void> {
  const draft = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(draft, content, { flag: "wx", mode: 0o600, signal });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
