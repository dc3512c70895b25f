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
    if (this.size === 0) return undefined;
    const value = this.#slots[this.#head];
    this.#slots[this.#head++] = undefined;
    // Half of the slots are empty. Copying the other half costs no more than emptying them did.
    if (this.#head * 2 >= this.#slots.length) {
      this.#slots = this.snapshot();
      this.#head = 0;
    }
    return value;
  }

  /** Takes out one value after another until none is left, including those added meanwhile. */
  *taken(): Generator<T> {
    for (let value = this.take(); value !== undefined; value = this.take()) yield value;
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
