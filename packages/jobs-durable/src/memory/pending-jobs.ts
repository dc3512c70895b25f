import type { MemoryJob } from "./memory-job.ts";
import { MemoryQueue } from "./memory-queue.ts";

/** The longest wait between two looks at the clock. */
export const maxWaitMs = 5_000;

/** The jobs that wait for a worker or for their moment, by name. */
export class PendingJobs {
  readonly #queues = new Map<string, MemoryQueue>();
  readonly #waiting = new Set<() => void>();
  #turns = 0;

  add(job: MemoryJob): void {
    let queue = this.#queues.get(job.name);
    if (queue === undefined) {
      queue = new MemoryQueue();
      this.#queues.set(job.name, queue);
    }
    queue.add(job, Date.now());
    for (const wake of this.#waiting) wake();
  }

  /** Takes out up to `limit` jobs that are due: the names take turns, and of each name the first to run comes first. */
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

  /** Takes out a job of the name whose last turn is the longest ago. */
  #shift(names: ReadonlySet<string>, now: number): MemoryJob | undefined {
    let chosen: MemoryQueue | undefined;
    for (const name of names) {
      const queue = this.#queues.get(name);
      if (queue?.firstDue(now) === undefined) continue;
      if (chosen === undefined || queue.turn < chosen.turn) chosen = queue;
    }
    if (chosen === undefined) return undefined;
    chosen.turn = ++this.#turns;
    return chosen.shift();
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
