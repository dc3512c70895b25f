/** Keeps values in the order in which they came, in one array slot each. Taking the first is O(1) on average. */
export class Fifo<T> {
  #slots: (T | undefined)[];
  #head = 0;

  constructor(values: T[] = []) {
    this.#slots = values;
  }

  /** The number of values. */
  get size(): number {
    return this.#slots.length - this.#head;
  }

  /** Adds a value at the end. */
  push(value: T): void {
    this.#slots.push(value);
  }

  /** Removes and returns the first value. Returns undefined if there is none. */
  take(): T | undefined {
    const value = this.#slots[this.#head];
    this.#slots[this.#head++] = undefined;
    // At least half of the slots are empty. Copying the others costs no more than emptying them did. If there was no value,
    // no slot is left.
    if (this.#head >= this.size) {
      this.#slots = this.snapshot();
      this.#head = 0;
    }
    return value;
  }

  /** Takes out one value after another until none is left, including those added meanwhile. */
  *taken(): Generator<T> {
    while (this.size > 0) yield this.take() as T;
  }

  /** Returns a new array of the values that are there now. */
  snapshot(): T[] {
    return this.#slots.slice(this.#head) as T[];
  }

  clear(): void {
    this.#slots = [];
    this.#head = 0;
  }
}
