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
    return new TakenSlot(this);
  }

  /** Whether more are taken than there are now. */
  get isOverfull(): boolean {
    return this.#taken > this.#total;
  }

  /** For the slots alone. */
  changed(freed: number, left: number): void {
    this.#taken -= freed;
    this.#held -= left;
    this.#onRoom();
  }
}

/** A class: an object with a getter of its own would get a hidden class of its own. */
class TakenSlot implements Slot {
  readonly #slots: Slots;
  #isTaken = true;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  get isSurplus(): boolean {
    return this.#isTaken && this.#slots.isOverfull;
  }

  free(): void {
    this.#leave(0);
  }

  leave(): void {
    this.#leave(1);
  }

  #leave(left: number): void {
    const freed = this.#isTaken ? 1 : 0;
    this.#isTaken = false;
    this.#slots.changed(freed, left);
  }
}
