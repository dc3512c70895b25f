import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { resolve } from "node:path";
import { lockFile } from "./lock-file.ts";
import { hasEnded, type JobChange, type StoredJob } from "./stored-job.ts";

/**
 * The jobs of a file in which every line is a change of one job, as JSON. What was changed is in the hands of the operating
 * system when a call returns: it survives the death of the process, and not that of the machine. Calls block.
 */
export class Journal {
  readonly #unlock: () => void;
  readonly #jobs = new Map<string, StoredJob>();
  /** Those that wait or run, apart: what has ended is kept, and need not be looked at. */
  readonly #live = new Map<string, StoredJob>();
  /** Who has a job, by its id: only that delivery can settle it. It ends with the process, and is not written. */
  readonly holders: Map<string, object> = new Map();
  /** Ids of the jobs that ran when the process before died, until they are delivered again. */
  readonly stalled: Set<string> = new Set();
  readonly #descriptor: number;
  #bytes = 0;

  /**
   * Reads the file, if it is there, and writes it anew without what `isKept` does not want.
   *
   * @throws Error if another process has it, or it is no journal.
   */
  constructor(file: string, isKept: (job: StoredJob) => boolean) {
    this.#unlock = lockFile(file);
    try {
      for (const job of readJobs(file).values()) {
        // Who ran it has died with it, else the file would be locked.
        const isStalled = job.state === "running";
        const found: StoredJob = isStalled ? { ...job, state: "pending" } : job;
        if (isStalled) this.stalled.add(job.id);
        if (isKept(found)) this.#keep(found);
      }
      const fresh = `${file}.new`;
      this.#descriptor = openSync(fresh, "w");
      this.#write([...this.#jobs.values()]);
      fsyncSync(this.#descriptor);
      renameSync(fresh, file);
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  get(id: string): StoredJob | undefined {
    return this.#jobs.get(id);
  }

  /** Every job there is, in the order in which they were added. */
  all(): Iterable<StoredJob> {
    return this.#jobs.values();
  }

  /** The jobs that wait or run. */
  live(): Iterable<StoredJob> {
    return this.#live.values();
  }

  add(jobs: readonly StoredJob[]): void {
    this.#write(jobs);
    for (const job of jobs) this.#keep(job);
  }

  /** Writes what is new of a job that is there, and returns it as it is then. */
  change(job: StoredJob, news: Omit<JobChange, "id">): StoredJob {
    this.#write([{ id: job.id, ...news }]);
    const changed = { ...job, ...news };
    this.#keep(changed);
    return changed;
  }

  #keep(job: StoredJob): void {
    this.#jobs.set(job.id, job);
    if (hasEnded(job)) this.#live.delete(job.id);
    else this.#live.set(job.id, job);
  }

  #write(changes: readonly JobChange[]): void {
    if (changes.length === 0) return;
    const bytes = Buffer.from(changes.map((change) => `${JSON.stringify(change)}\n`).join(""));
    try {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#descriptor, bytes, written, bytes.length - written, this.#bytes + written);
      }
    } catch (error) {
      // A full disk may have taken a part, and half a line in the middle of the file would spoil it.
      ftruncateSync(this.#descriptor, this.#bytes);
      throw error;
    }
    this.#bytes += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
    this.#unlock();
  }
}

function readJobs(file: string): Map<string, StoredJob> {
  const jobs = new Map<string, StoredJob>();
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  // Behind the last line end there is nothing, or what a process that was killed had begun to write.
  lines.pop();
  lines.forEach((line, index) => {
    try {
      const change = JSON.parse(line) as JobChange;
      jobs.set(change.id, { ...jobs.get(change.id), ...change } as StoredJob);
    } catch (cause) {
      throw new Error(`${file} is no journal: line ${index + 1} is not JSON`, { cause });
    }
  });
  return jobs;
}

/** A journal that engines of this process share. */
interface SharedJournal {
  readonly journal: Journal;
  users: number;
}

const open = new Map<string, SharedJournal>();

/** The journal of a file: the one that this process has opened already, or a new one. Returns it, and what gives it back. */
export function openJournal(
  file: string,
  isKept: (job: StoredJob) => boolean,
): [journal: Journal, giveBack: () => void] {
  const path = resolve(file);
  const shared = open.get(path) ?? { journal: new Journal(path, isKept), users: 0 };
  shared.users++;
  open.set(path, shared);
  return [
    shared.journal,
    () => {
      if (--shared.users > 0) return;
      open.delete(path);
      shared.journal.close();
    },
  ];
}
