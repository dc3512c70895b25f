/** A place for one job. */
export interface Slot {
  /** Whether more slots are taken than there are by now: no job is to start in this one. */
  readonly isSurplus: boolean;
  /** Another job may take the slot, while the end of this one is recorded. */
  free(): void;
  /** The end of the job is recorded. */
  leave(): void;
}

/** The slots of a worker: how many jobs run, and how many are being recorded. */
export class Slots {
  #total: number;
  #taken = 0;
  /** Jobs that run or are being recorded. */
  #held = 0;
  #onRoom: () => void = () => {};

  constructor(total: number) {
    this.#total = total;
  }

  get total(): number {
    return this.#total;
  }

  /** If more are taken than there are now, these are left as they become free. */
  set total(total: number) {
    this.#total = total;
    this.#onRoom();
  }

  get free(): number {
    return Math.max(0, this.#total - this.#taken);
  }

  get isMoreThanHalfTaken(): boolean {
    return this.free < this.#total / 2;
  }

  /** One round of jobs may run while the one before is recorded: an engine that is slow, or away, gets no more to record. */
  get hasRoom(): boolean {
    const settling = this.#held - this.#taken;
    return this.free > 0 && settling <= this.#total;
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
    this.#taken++;
    this.#held++;
    let isTaken = true;
    const free = (): void => {
      if (isTaken) this.#taken--;
      isTaken = false;
      this.#onRoom();
    };
    const leave = (): void => {
      this.#held--;
      free();
    };
    const isSurplus = (): boolean => isTaken && this.#taken > this.#total;
    return {
      free,
      leave,
      get isSurplus() {
        return isSurplus();
      },
    };
  }
}
