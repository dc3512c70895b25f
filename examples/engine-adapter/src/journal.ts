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
 * Keeps jobs in a file. Each line is a change of one job, as JSON. When a call returns, the operating system has the change: the change
 * survives the death of the process, but not that of the machine. Calls block.
 */
export class Journal {
  readonly #unlock: () => void;
  readonly #jobs = new Map<string, StoredJob>();
  /** The jobs that wait or run. Ended jobs are kept elsewhere, so that searches skip them. */
  readonly #live = new Map<string, StoredJob>();
  /** The delivery that holds each job, by id. Only that delivery can settle the job. It ends with the process and is not written. */
  readonly holders: Map<string, object> = new Map();
  /** Ids of jobs that ran when the previous process died, until they are delivered again. */
  readonly stalled: Set<string> = new Set();
  readonly #descriptor: number;
  #bytes = 0;

  /**
   * Reads the file if it exists, and rewrites it with the jobs that `isKept` accepts.
   *
   * @throws Error if another process has the file, or the file is no journal.
   */
  constructor(file: string, isKept: (job: StoredJob) => boolean) {
    this.#unlock = lockFile(file);
    try {
      for (const job of readJobs(file).values()) {
        // Its worker has died, otherwise the file would be locked.
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

  /** Lists all jobs, in the order in which they were added. */
  all(): Iterable<StoredJob> {
    return this.#jobs.values();
  }

  /** Lists the jobs that wait or run. */
  live(): Iterable<StoredJob> {
    return this.#live.values();
  }

  add(jobs: readonly StoredJob[]): void {
    this.#write(jobs);
    for (const job of jobs) this.#keep(job);
  }

  /** Writes the changes of a job, and returns the changed job. */
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
      // A full disk may have stored a part, and half a line in the middle would spoil the file.
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
  // After the last line end there is nothing, or the beginning of a line from a killed process.
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

/** A journal that the engines of this process share. */
interface SharedJournal {
  readonly journal: Journal;
  users: number;
}

const open = new Map<string, SharedJournal>();

/** Opens the journal of a file, or reuses that of this process. Returns the journal and a function that releases it. */
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
