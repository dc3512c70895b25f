import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { UserError } from "./user-error.ts";

/**
 * Returns the folder for the output of a repository if the user named none. It is the same folder every time, so that
 * the next process finds an interrupted run. Only its owner can read it.
 *
 * @throws (rejects with) UserError if the folder cannot be made.
 */
export async function defaultFolder(repository: string): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? "";
  // The XDG base directory specification says to ignore relative paths.
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

/** Returns the name of a repository in folders, queues and schemas: 16 hexadecimal digits of a hash of its path. */
export async function repositoryKey(repository: string): Promise<string> {
  return createHash("sha256")
    .update(await realpath(repository))
    .digest("hex")
    .slice(0, 16);
}
