import { rm } from "node:fs/promises";

/** Removes the folder of a server that has ended. A child that it started, such as one that writes a snapshot, may still add a file. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 20 });
}
