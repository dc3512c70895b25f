import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";

/**
 * Locks a file for this process, by another one beside it that holds the process's id. Returns what unlocks it.
 * One that was left behind by a process that has died is taken over. Of two processes that do so in the same instant, one may
 * remove the lock of the other: do not start two on one file.
 *
 * @throws Error if a process that lives has it.
 */
export function lockFile(file: string): () => void {
  const path = `${file}.lock`;
  const create = (): boolean => {
    try {
      const descriptor = openSync(path, "wx");
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  };

  if (!create()) {
    const owner = Number(readFileSync(path, "utf8"));
    // Without a number in it, somebody is just about to write one, or has died of it: better to ask than to share.
    if (!(owner > 0) || isAlive(owner)) {
      throw new Error(`${file} is in use by process ${owner}; if there is none, delete ${path}`);
    }
    rmSync(path);
    if (!create()) throw new Error(`${file} was locked by another process at the same time`);
  }
  return () => rmSync(path, { force: true });
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // Somebody else's process is alive as well.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
