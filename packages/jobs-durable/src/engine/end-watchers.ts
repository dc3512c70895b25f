import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob } from "../backend/job-backend.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { BoundedBackend } from "./bounded-backend.ts";

/** The parts of an engine that waiting for results uses. */
export interface JobResultsSetUp<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly backend: JobBackend<Job, Options>;
  readonly store: BoundedBackend<Job, Options>;
  readonly bookkeeping: Bookkeeping;
  readonly onError: (error: unknown) => void;
}

/** For how many seconds a store is watched when no result of a name is awaited any more: the next call may be near. */
const idleSeconds = 10;

interface Watcher {
  readonly closing: Promise<(() => Promise<void>) | undefined>;
  idleSeconds: number;
}

/** Watches a store for the ends of jobs, by job name, if the store tells of them. */
export class EndWatchers<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly #setUp: JobResultsSetUp<Job, Options>;
  readonly #onEnd: (jobIds: readonly string[]) => void;
  readonly #watchers = new Map<string, Watcher>();

  constructor(setUp: JobResultsSetUp<Job, Options>, onEnd: (jobIds: readonly string[]) => void) {
    this.#setUp = setUp;
    this.#onEnd = onEnd;
  }

  /** Begins to watch a name. A job may have ended before the store began to tell: `awaited` is asked for once more then. */
  open(jobName: string, awaited: () => readonly string[]): void {
    if (this.#setUp.backend.watchEnds === undefined || this.#watchers.has(jobName)) return;
    const closing = this.#open(jobName, awaited);
    this.#watchers.set(jobName, { closing, idleSeconds: 0 });
  }

  async #open(jobName: string, awaited: () => readonly string[]): Promise<(() => Promise<void>) | undefined> {
    const { store, bookkeeping, onError } = this.#setUp;
    try {
      const close = await store.open(
        (backend) =>
          bookkeeping.run("watch-ends", async () =>
            backend.watchEnds?.(jobName, (jobId) => this.#onEnd([jobId])),
          ),
        async (late) => late?.(),
      );
      this.#onEnd(awaited());
      return close;
    } catch (error) {
      // Asking once a second goes on.
      onError(error);
      return undefined;
    }
  }

  /** Called every second with the names that are awaited. Closes the watchers of others after some time. Returns whether none is left. */
  closeUnused(awaited: ReadonlySet<string | undefined>): boolean {
    for (const [jobName, watcher] of this.#watchers) {
      watcher.idleSeconds = awaited.has(jobName) ? 0 : watcher.idleSeconds + 1;
      if (watcher.idleSeconds <= idleSeconds) continue;
      this.#watchers.delete(jobName);
      this.#close(watcher);
    }
    return this.#watchers.size === 0;
  }

  /** Never rejects, and takes no longer than the engine waits for an answer. */
  async #close({ closing }: Watcher): Promise<void> {
    const { store, onError } = this.#setUp;
    const close = await closing;
    if (close !== undefined) await store.ask(async () => close()).catch(onError);
  }

  async close(): Promise<void> {
    const watchers = [...this.#watchers.values()];
    this.#watchers.clear();
    await Promise.all(watchers.map((watcher) => this.#close(watcher)));
  }
}
