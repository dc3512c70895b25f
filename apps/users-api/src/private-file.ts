import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";

/**
 * Writes a file that its owner alone can read, in the place of what was there: what is there is whole at all times. The draft has a name
 * that nobody knows beforehand, and is never something that was there already, such as a link.
 */
export async function writePrivately(
  path: string,
  content: string | Buffer,
  signal?: AbortSignal,
): Promise<void> {
  const draft = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(draft, content, { flag: "wx", mode: 0o600, ...(signal !== undefined && { signal }) });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
