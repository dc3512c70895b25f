import { chmod, mkdtemp, readdir, readFile, statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import { removeFolder } from "./remove-folder.ts";

/** Where Linux has a file system in memory. */
const inMemory = "/dev/shm";

/** Files of a run take up to 1.5 GiB. The programs under test need the rest. */
const neededBytes = 8 * 1024 ** 3;

/**
 * Keeps the temporary files of a run in memory, if there is room and `TMPDIR` does not say where they belong: making and removing tens of
 * thousands of files on a disk takes 7 % of a run's processor time. Vitest calls this before the tests of each project, and what it
 * returns after all of them.
 */
export default async function keepFilesInMemory(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.TMPDIR || !(await isSuitable())) return undefined;
  await removeLeftFolders();
  const folder = await mkdtemp(join(inMemory, `nidus-tests-${process.pid}-`));
  // PostgreSQL runs as a user of its own.
  await chmod(folder, 0o1777);
  process.env.TMPDIR = folder;
  return async () => {
    delete process.env.TMPDIR;
    await removeFolder(folder);
  };
}

/** Tells whether there is room, and whether programs may be started there: tests install some. */
async function isSuitable(): Promise<boolean> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  const options = mounts
    .split("\n")
    .find((line) => line.split(" ")[1] === inMemory)
    ?.split(" ")[3];
  if (options === undefined || options.split(",").includes("noexec")) return false;
  const { bavail, bsize } = await statfs(inMemory);
  return Math.min(bavail * bsize, freemem()) >= neededBytes;
}

/** Removes the folders of runs that were killed. */
async function removeLeftFolders(): Promise<void> {
  for (const name of await readdir(inMemory)) {
    const pid = /^nidus-tests-(\d+)-/.exec(name)?.[1];
    // Folders of other users stay.
    if (pid !== undefined && !isAlive(Number(pid))) await removeFolder(join(inMemory, name)).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
