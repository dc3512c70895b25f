import { mkdir, open, readdir, readlink, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { processStart } from "./process-start.ts";

/** Who holds a folder. All of it is in the name of the lock file, which is there as a whole or not at all. */
interface Holder {
  readonly pid: number;
  /** When the process started, as far as the system tells: a process id comes round again. */
  readonly start: string;
  /** The machine, or the container, whose process ids these are. */
  readonly host: string;
}

/** How often a held lock is touched, for those who cannot look up its process. */
const touchMs = 5_000;

/** Untouched for so long, a lock of another host is that of a dead process. */
const abandonedMs = 30_000;

/** Rounds in which several that want the folder at the same moment make room for each other. */
const tries = 8;

/** How much longer each round waits at most. */
const roundMs = 30;

/**
 * Takes a folder for this process alone, and resolves to the function that lets it go. A lock whose process is gone is not in
 * the way; one of a living process is never taken. On another host, such as another container on a shared volume, a process
 * counts as gone when its lock has not been touched for 30 s.
 *
 * Each process has a lock file of its own name: it puts it there first and looks for others after that, so that of two at
 * most one sees nobody else. A file of a dead process can be removed at any time, since nobody else's has its name.
 *
 * @throws (rejects with) FolderInUseError if another process has it, or this one already.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  // What is made is for this user alone: it will hold payloads. A folder that is there keeps the permissions that it has.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const start = (await processStart(process.pid)) ?? "unknown";
  const self: Holder = { pid: process.pid, start, host: await thisHost() };
  const path = join(folder, nameOf(self));
  for (let round = 1; ; round++) {
    if (!(await create(path))) throw held(folder, self, self);
    let other: Holder | undefined;
    try {
      other = await findOther(folder, self);
    } catch (error) {
      // A lock that cannot be checked is no lock: without this file the next try is free to succeed.
      await rm(path, { force: true });
      throw error;
    }
    if (other === undefined) return keep(path);
    await rm(path, { force: true });
    // Who has just come gives way as well: the next round is at another moment for each.
    if (round === tries) throw held(folder, other, self);
    await pause(Math.random() * roundMs * round);
  }
}

const prefix = "nidus.lock.";

function nameOf({ pid, start, host }: Holder): string {
  return `${prefix}${[String(pid), start, host].map(encodeURIComponent).join("&")}`;
}

/** Undefined for a name that `nameOf` has not given: some other file, which is left alone. */
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

/** Containers often have one host name, and each its own process ids. */
async function thisHost(): Promise<string> {
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return `${hostname()} ${namespace}`.trim();
}

async function create(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx")).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** A living holder beside this process. Locks of dead ones are removed. */
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

function keep(path: string): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, touchMs).unref();
  return async () => {
    clearInterval(timer);
    await rm(path, { force: true });
  };
}

/** A folder that another process has. */
export class FolderInUseError extends Error {
  /** The same in every version. */
  readonly code: string = "NIDUS_FOLDER_IN_USE";

  static {
    FolderInUseError.prototype.name = "FolderInUseError";
  }
}

function held(folder: string, { pid, host }: Holder, self: Holder): FolderInUseError {
  const who = pid === self.pid && host === self.host ? "this process" : `process ${pid} on ${host}`;
  return new FolderInUseError(
    `the folder ${folder} is in use by ${who}: an embedded database belongs to one process at a time`,
  );
}
