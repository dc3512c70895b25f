import { requireJob } from "../validation.ts";

/** Keeps jobs in insertion order, in one array slot each. Taking the first job is O(1) on average, however many there are. */
export class JobList<J extends { readonly name: string; readonly run: unknown }> {
  #slots: (J | undefined)[];
  #head = 0;

  constructor(jobs: J[] = []) {
    this.#slots = jobs;
  }

  /** The number of jobs in the list. */
  get size(): number {
    return this.#slots.length - this.#head;
  }

  /** Adds all jobs, or none if one is not a job. The list takes over the array. @throws TypeError */
  add(jobs: J[]): void {
    jobs.forEach(requireJob);
    if (this.size > 0) for (const job of jobs) this.#slots.push(job);
    else this.#reset(jobs);
  }

  /** Removes and returns the first job. Returns undefined if the list is empty. */
  take(): J | undefined {
    if (this.size === 0) return undefined;
    const job = this.#slots[this.#head];
    this.#slots[this.#head++] = undefined;
    // Half of the slots are empty. Copying the other half costs no more than emptying them did.
    if (this.#head * 2 >= this.#slots.length) this.#reset(this.snapshot());
    return job;
  }

  /** Takes out one job after another until the list is empty, including jobs added meanwhile. */
  *taken(): Generator<J> {
    for (let job = this.take(); job !== undefined; job = this.take()) yield job;
  }

  /** Returns a new array of the jobs that are in the list now. */
  snapshot(): J[] {
    return this.#slots.slice(this.#head) as J[];
  }

  clear(): void {
    this.#reset([]);
  }

  #reset(jobs: J[]): void {
    this.#slots = jobs;
    this.#head = 0;
  }
}
