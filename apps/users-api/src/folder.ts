import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { UserError } from "./user-error.ts";

/**
 * Makes the folder for the output of a repository: the one that the user named, or one of the repository's own. It is the same
 * every time, so that the next process finds an interrupted run.
 *
 * @throws (rejects with) UserError if nothing can be written there.
 */
export async function openFolder(repository: string, named: string | undefined): Promise<string> {
  const folder = named ?? join(cacheFolder(), "users-api", await repositoryKey(repository));
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK | constants.X_OK);
    return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`cannot write to ${folder} (${code}): see --out`, { cause: error });
  }
}

/** Makes a folder and its parents. Node's own `recursive` never ends if a folder refuses new ones, like /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(folder)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder, { mode: 0o700 });
  }
}

/** The XDG base directory specification says to ignore relative paths. */
function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? "";
  return isAbsolute(cache) ? cache : join(homedir(), ".cache");
}

/** Returns the name of a repository in folders, queues and schemas: 16 hexadecimal digits of a hash of its path. */
export async function repositoryKey(repository: string): Promise<string> {
  const path = await realpath(repository);
  return createHash("sha256").update(path).digest("hex").slice(0, 16);
}
