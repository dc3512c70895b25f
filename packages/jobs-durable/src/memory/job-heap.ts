import type { MemoryJob } from "./memory-job.ts";

/** Jobs in an order of the caller's choice: a binary heap. */
export class JobHeap {
  readonly #jobs: MemoryJob[] = [];
  readonly #isBefore: (a: MemoryJob, b: MemoryJob) => boolean;

  constructor(isBefore: (a: MemoryJob, b: MemoryJob) => boolean) {
    this.#isBefore = isBefore;
  }

  get first(): MemoryJob | undefined {
    return this.#jobs[0];
  }

  push(job: MemoryJob): void {
    const jobs = this.#jobs;
    let index = jobs.push(job) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(job, jobs[parent] as MemoryJob)) break;
      jobs[index] = jobs[parent] as MemoryJob;
      index = parent;
    }
    jobs[index] = job;
  }

  /** Takes the first one out. */
  shift(): MemoryJob | undefined {
    const jobs = this.#jobs;
    const first = jobs[0];
    const last = jobs.pop();
    if (last === undefined || last === first) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const right = jobs[child + 1];
      if (right !== undefined && this.#isBefore(right, jobs[child] as MemoryJob)) child++;
      const next = jobs[child];
      if (next === undefined || !this.#isBefore(next, last)) break;
      jobs[index] = next;
      index = child;
    }
    jobs[index] = last;
    return first;
  }
}

/** Whether a job is to run before another of its name, both being due. */
export function isBefore(a: MemoryJob, b: MemoryJob): boolean {
  return a.priority < b.priority || (a.priority === b.priority && isEarlier(a, b));
}

/** Whether a job could run before another: by its moment, and in order of arrival within one. */
export function isEarlier(a: MemoryJob, b: MemoryJob): boolean {
  return a.runAtMs < b.runAtMs || (a.runAtMs === b.runAtMs && a.order < b.order);
}
