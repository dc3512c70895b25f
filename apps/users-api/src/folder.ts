import { createHash } from "node:crypto";
import { access, constants, mkdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Returns the name of a repository in folders, queues and schemas: 16 hexadecimal digits of a hash of its path. */
export async function repositoryKey(repository: string): Promise<string> {
  const path = await realpath(repository);
  return createHash("sha256").update(path).digest("hex").slice(0, 16);
}

/**
 * Makes the folder for the output: the one that the user named, or one of the repository's own. It is the same every time, so that
 * the next process finds an interrupted run.
 *
 * @throws (rejects with) Error if nothing can be written there.
 */
export async function openFolder(key: string, named: string | undefined): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const folder = named ?? join(cache, "users-api", key);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK | constants.X_OK);
    return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`cannot write to ${folder} (${code}): see --out`, { cause: error });
  }
}
