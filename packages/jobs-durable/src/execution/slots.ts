/** A place for one job. */
export interface Slot {
  /** Another job may take the slot, while the end of this one is recorded. */
  free(): void;
  /** The end of the job is recorded. */
  leave(): void;
}

/** The slots of a worker: how many jobs run, and how many are being recorded. */
export class Slots {
  readonly #total: number;
  #free: number;
  /** Jobs that run or are being recorded. */
  #held = 0;
  #onRoom: () => void = () => {};

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  get total(): number {
    return this.#total;
  }

  get free(): number {
    return this.#free;
  }

  get isMoreThanHalfTaken(): boolean {
    return this.#free < this.#total / 2;
  }

  /** One round of jobs may run while the one before is recorded: an engine that is slow, or away, gets no more to record. */
  get hasRoom(): boolean {
    const settling = this.#held - (this.#total - this.#free);
    return this.#free > 0 && settling <= this.#total;
  }

  /** Resolves when a slot may have become free, or at `wake`. */
  nextRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  wake(): void {
    this.#onRoom();
  }

  take(): Slot {
    this.#free--;
    this.#held++;
    let isTaken = true;
    const free = (): void => {
      if (isTaken) this.#free++;
      isTaken = false;
      this.#onRoom();
    };
    const leave = (): void => {
      this.#held--;
      free();
    };
    return { free, leave };
  }
}
