import { requireJob } from "../validation.ts";

/** Jobs in insertion order, at one slot each: taking the first is O(1) on average, over any number of jobs. */
export class JobList<J extends { readonly name: string; readonly run: unknown }> {
  #slots: (J | undefined)[];
  #head = 0;

  constructor(jobs: J[] = []) {
    this.#slots = jobs;
  }

  /** How many jobs are in it. */
  get size(): number {
    return this.#slots.length - this.#head;
  }

  /** Adds all of them, or none where one is not a job. The array becomes the list's own. @throws TypeError */
  add(jobs: J[]): void {
    jobs.forEach(requireJob);
    if (this.size > 0) for (const job of jobs) this.#slots.push(job);
    else this.#reset(jobs);
  }

  /** Takes out the first job, or undefined where there is none. */
  take(): J | undefined {
    if (this.size === 0) return undefined;
    const job = this.#slots[this.#head];
    this.#slots[this.#head++] = undefined;
    // Half of the slots are spent: moving the other half costs at most as much as spending them did.
    if (this.#head * 2 >= this.#slots.length) this.#reset(this.snapshot());
    return job;
  }

  /** Takes out one after the other until none is left, also those that are added meanwhile. */
  *taken(): Generator<J> {
    for (let job = this.take(); job !== undefined; job = this.take()) yield job;
  }

  /** The jobs that are in it now, in an array of their own. */
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
