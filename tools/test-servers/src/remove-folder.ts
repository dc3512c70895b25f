import { rm } from "node:fs/promises";

/** Removes a folder of servers that have ended. A child of one, such as a process that writes a snapshot, may still add a file. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 20 });
}
