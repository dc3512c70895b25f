import { mkdir, open, readdir, readlink, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { processStart } from "./process-start.ts";

/** The process that holds a folder. The name of its lock file has all of this, since a file name is never half written. */
interface Holder {
  readonly pid: number;
  /** When the process started, if the system tells it: process ids are reused. */
  readonly start: string;
  /** The machine or container in which the process id is valid. */
  readonly host: string;
}

/** How often a held lock file is touched, for processes on other hosts, which cannot look up its process. */
const touchMs = 5_000;

/** A lock of another host counts as a dead process's after this time without a touch. */
const abandonedMs = 30_000;

/** Rounds in which processes that want the folder at the same moment give way to each other. */
const maxRounds = 8;

/** The time by which the longest pause grows from round to round. */
const roundMs = 30;

/**
 * Locks a folder for this process. Resolves to the function that unlocks it. It removes the lock of a dead process, and never takes
 * that of a living one. A process on another host, such as another container on a shared volume, counts as dead when its lock has
 * not been touched for 30 s.
 *
 * Each process has a lock file with its own name. It creates the file first and looks for others after that, so that of two
 * processes at most one finds no other. A dead process's file can be removed at any time, since no other process uses its name.
 *
 * @throws (rejects with) FolderInUseError if another process holds the folder, or this process already does.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  // A new folder is for this user alone, since it will hold payloads. An existing folder keeps its permissions.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const start = (await processStart(process.pid)) ?? "unknown";
  const self: Holder = { pid: process.pid, start, host: await thisHost() };
  const path = join(folder, nameOf(self));
  for (let round = 1; ; round++) {
    if (!(await createLockFile(path))) throw folderInUse(folder, self, self);
    let other: Holder | undefined;
    try {
      other = await findOther(folder, self);
    } catch (error) {
      // Without the other lock's state there is no decision. Remove this file, so that a later try can succeed.
      await rm(path, { force: true });
      throw error;
    }
    if (other === undefined) return touchUntilUnlocked(path);
    await rm(path, { force: true });
    // Both processes give way: random pauses let them try again at different moments.
    if (round === maxRounds) throw folderInUse(folder, other, self);
    await pause(Math.random() * roundMs * round);
  }
}

const prefix = "nidus.lock.";

function nameOf({ pid, start, host }: Holder): string {
  return `${prefix}${[String(pid), start, host].map(encodeURIComponent).join("&")}`;
}

/** Reads a holder from a file name. Returns undefined if `nameOf` did not make the name: such a file is left alone. */
function holderOf(name: string): Holder | undefined {
  if (!name.startsWith(prefix)) return undefined;
  try {
    const [pid = "", start = "", host = ""] = name.slice(prefix.length).split("&").map(decodeURIComponent);
    const holder = { pid: Number(pid), start, host };
    return holder.pid > 0 && start !== "" && host !== "" && nameOf(holder) === name ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Names the host and its process namespace: containers often share a host name, and each has its own process ids. */
async function thisHost(): Promise<string> {
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return `${hostname()} ${namespace}`.trim();
}

async function createLockFile(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx")).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Finds a living holder other than this process, and removes the locks of dead ones. */
async function findOther(folder: string, self: Holder): Promise<Holder | undefined> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name } = entry;
    const holder = entry.isFile() ? holderOf(name) : undefined;
    if (holder === undefined || name === nameOf(self)) continue;
    if (await isAlive(holder, self, join(folder, name))) return holder;
    await rm(join(folder, name), { force: true });
  }
  return undefined;
}

async function isAlive({ pid, start, host }: Holder, self: Holder, path: string): Promise<boolean> {
  if (host === self.host) return (await processStart(pid)) === start;
  const touched = await stat(path).catch(() => undefined);
  return touched !== undefined && Date.now() - touched.mtimeMs < abandonedMs;
}

function touchUntilUnlocked(path: string): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, touchMs).unref();
  return async () => {
    clearInterval(timer);
    await rm(path, { force: true });
  };
}

/** Says that another process uses the folder of an embedded database. */
export class FolderInUseError extends Error {
  /** Stays the same in every version. */
  readonly code: string = "NIDUS_FOLDER_IN_USE";

  static {
    FolderInUseError.prototype.name = "FolderInUseError";
  }
}

function folderInUse(folder: string, { pid, host }: Holder, self: Holder): FolderInUseError {
  const holder = pid === self.pid && host === self.host ? "this process" : `process ${pid} on ${host}`;
  return new FolderInUseError(
    `the folder ${folder} is in use by ${holder}: an embedded database belongs to one process at a time`,
  );
}
