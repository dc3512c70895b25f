import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";

/**
 * Locks a file for this process. A second file beside it holds the process's id. Returns a function that unlocks it.
 * Takes over the lock of a dead process. If two processes do so in the same instant, one may remove the lock of the other: do not
 * start two processes on one file.
 *
 * @throws Error if a living process has the lock.
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
    // Without a number, a process is about to write one, or has died before it did. Refuse, rather than share the file.
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
    // The process of another user is alive as well.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
