/** First in, first out, at one slot a job: taking the first is O(1) on average, over any number of jobs. */
export class JobList<J> {
  #slots: (J | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#slots.length - this.#head;
  }

  add(job: J): void {
    this.#slots.push(job);
  }

  /** Takes out the first job, or undefined where there is none. */
  take(): J | undefined {
    const job = this.#slots[this.#head];
    if (this.#head === this.#slots.length) return undefined;
    this.#slots[this.#head++] = undefined;
    // Half of the slots are spent: moving the other half costs at most as much as spending them did.
    if (this.#head * 2 >= this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    return job;
  }

  /** Another list of the same jobs. */
  copy(): JobList<J> {
    const copy = new JobList<J>();
    copy.#slots = this.#slots.slice(this.#head);
    return copy;
  }

  clear(): void {
    this.#slots = [];
    this.#head = 0;
  }
}
