import { isBefore, isEarlier, JobHeap } from "./job-heap.ts";
import type { MemoryJob } from "./memory-job.ts";

/** The pending jobs of one name. A cancelled job stays until its turn. */
export class MemoryQueue {
  readonly #scheduled = new JobHeap(isEarlier);
  readonly #due = new JobHeap(isBefore);
  /** When it was last the turn of this name, counted over all names. */
  turn = 0;

  add(job: MemoryJob, nowMs: number): void {
    if (job.runAtMs <= nowMs) this.#due.push(job);
    else this.#scheduled.push(job);
  }

  /** Returns the job that is to start first among those that are due, or undefined if none is. */
  firstDue(nowMs: number): MemoryJob | undefined {
    for (let next = this.#scheduled.first; next !== undefined && next.runAtMs <= nowMs; ) {
      this.#due.push(next);
      this.#scheduled.shift();
      next = this.#scheduled.first;
    }
    while (this.#due.first?.state === "cancelled") this.#due.shift();
    return this.#due.first;
  }

  /** Takes out the job that `firstDue` returned. */
  shift(): MemoryJob | undefined {
    return this.#due.shift();
  }

  /** Returns the moment from which a job can start, or Infinity if there is none. */
  nextMs(nowMs: number): number {
    if (this.firstDue(nowMs) !== undefined) return nowMs;
    while (this.#scheduled.first?.state === "cancelled") this.#scheduled.shift();
    return this.#scheduled.first?.runAtMs ?? Number.POSITIVE_INFINITY;
  }
}
