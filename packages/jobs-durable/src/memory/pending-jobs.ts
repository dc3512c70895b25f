import { isEarlier } from "./job-heap.ts";
import type { MemoryJob } from "./memory-job.ts";
import { MemoryQueue } from "./memory-queue.ts";

/** The longest wait between two looks at the clock. */
export const maxWaitMs = 5_000;

/** The jobs that wait for a worker or for their moment, by name. */
export class PendingJobs {
  readonly #queues = new Map<string, MemoryQueue>();
  readonly #waiting = new Set<() => void>();

  add(job: MemoryJob): void {
    let queue = this.#queues.get(job.name);
    if (queue === undefined) {
      queue = new MemoryQueue();
      this.#queues.set(job.name, queue);
    }
    queue.add(job, Date.now());
    for (const wake of this.#waiting) wake();
  }

  /** Takes out up to `limit` jobs that are due: of each name the first to run, and over the names the oldest of these. */
  take(names: ReadonlySet<string>, limit: number): MemoryJob[] {
    const now = Date.now();
    const taken: MemoryJob[] = [];
    while (taken.length < limit) {
      const job = this.#shift(names, now);
      if (job === undefined) break;
      taken.push(job);
    }
    return taken;
  }

  #shift(names: ReadonlySet<string>, now: number): MemoryJob | undefined {
    let first: MemoryJob | undefined;
    for (const name of names) {
      const job = this.#queues.get(name)?.firstDue(now);
      if (job !== undefined && (first === undefined || isEarlier(job, first))) first = job;
    }
    if (first !== undefined) this.#queues.get(first.name)?.shift();
    return first;
  }

  /** Resolves when there may be something to take, or when the signal is aborted. */
  async changed(names: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const now = Date.now();
    const nextMs = Math.min(...[...names].map((name) => this.#queues.get(name)?.nextMs(now) ?? Infinity));
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(maxWaitMs, Math.max(0, nextMs - Date.now())));
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
