import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { UserError } from "./user-error.ts";

/**
 * The folder for what is written of a repository where none was named: the same one every time, so that a run that was cut short is
 * found again, and nobody else's to read.
 *
 * @throws (rejects with) UserError if it cannot be made.
 */
export async function defaultFolder(repository: string): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? "";
  // What is relative is to be ignored, says the XDG base directory specification.
  const folder = join(
    isAbsolute(cache) ? cache : join(homedir(), ".cache"),
    "users-api",
    await repositoryKey(repository),
  );
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch (error) {
    throw new UserError(`cannot write to ${folder} (${(error as NodeJS.ErrnoException).code}): see --out`, {
      cause: error,
    });
  }
}

/** Stands for a repository in names of folders, queues and schemas: 16 hexadecimal digits that follow from its path. */
export async function repositoryKey(repository: string): Promise<string> {
  return createHash("sha256")
    .update(await realpath(repository))
    .digest("hex")
    .slice(0, 16);
}
