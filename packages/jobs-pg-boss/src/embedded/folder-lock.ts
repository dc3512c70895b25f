import { mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { processStart } from "./process-start.ts";

/** Who holds a folder. */
interface Holder {
  readonly pid: number;
  /** When the process started, as far as the system tells: a process id comes round again. */
  readonly start: string | undefined;
  readonly host: string;
}

/** How often a held lock is touched, for those who cannot look up its process. */
const touchMs = 5_000;

/** Untouched for so long, a lock of another host is that of a dead process. */
const abandonedMs = 30_000;

/** Rounds in which a lock that was just let go may be taken by somebody else. */
const tries = 10;

/**
 * Takes a folder for this process alone, and resolves to the function that lets it go. A lock whose process is gone is not in
 * the way; one of a living process is never taken. On another host, such as another container on a shared volume, a process
 * counts as gone when its lock has not been touched for 30 s.
 *
 * @throws (rejects with) Error if another process has it, or this one already.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "nidus.lock");
  const self: Holder = { pid: process.pid, start: await processStart(process.pid), host: hostname() };
  for (let round = 0; round < tries; round++) {
    if (await create(path, self)) return keep(path);
    const holder = await read(path);
    if (holder === undefined) continue;
    if (await isAlive(holder, path)) throw held(folder, holder);
    await discard(path, holder);
  }
  throw new Error(`the folder ${folder} is taken by one process after another`);
}

async function create(path: string, self: Holder): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(JSON.stringify(self));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Undefined where it has just been let go. */
async function read(path: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await readFile(path, "utf8")) as Partial<Holder>;
    return { pid: Number(holder.pid), start: holder.start, host: String(holder.host) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    // Cut off in the middle: its writer died, or is still at it.
    return { pid: Number.NaN, start: undefined, host: "" };
  }
}

async function isAlive(holder: Holder, path: string): Promise<boolean> {
  if (holder.host !== hostname()) {
    const touched = await stat(path).catch(() => undefined);
    return touched !== undefined && Date.now() - touched.mtimeMs < abandonedMs;
  }
  const start = await processStart(holder.pid);
  return start !== undefined && (holder.start === undefined || start === holder.start);
}

/** Takes a dead lock away: only the one that was read, should another process have been quicker. */
async function discard(path: string, dead: Holder): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const taken = await read(aside);
  if (taken !== undefined && JSON.stringify(taken) !== JSON.stringify(dead)) await rename(aside, path);
  else await rm(aside, { force: true });
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

function held(folder: string, { pid, host }: Holder): Error {
  const who = pid === process.pid && host === hostname() ? "this process" : `process ${pid} on ${host}`;
  return new Error(
    `the folder ${folder} is in use by ${who}: an embedded database belongs to one process at a time`,
  );
}
