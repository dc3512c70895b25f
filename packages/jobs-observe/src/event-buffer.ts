/** A bounded first-in-first-out buffer in a ring, with readers that may wait. */
export class EventBuffer<E> implements AsyncIterable<E> {
  readonly #capacity: number;
  readonly #dropsOldest: boolean;
  /** Grows up to `capacity`, and only as far as readers fall behind. */
  #ring: (E | undefined)[] = [];
  #head = 0;
  #size = 0;
  #dropped = 0;
  #isClosed = false;
  readonly #waiting = new Set<(result: IteratorResult<E, undefined>) => void>();

  constructor(capacity: number, dropsOldest: boolean) {
    this.#capacity = capacity;
    this.#dropsOldest = dropsOldest;
  }

  get size(): number {
    return this.#size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  add(event: E): void {
    for (const wake of this.#waiting) {
      this.#waiting.delete(wake);
      wake({ done: false, value: event });
      return;
    }
    if (this.#size === this.#capacity) {
      this.#dropped++;
      if (!this.#dropsOldest) return;
      this.#take();
    }
    this.#ring[(this.#head + this.#size++) % this.#capacity] = event;
  }

  #take(): E {
    const event = this.#ring[this.#head] as E;
    this.#ring[this.#head] = undefined;
    this.#size--;
    // An empty ring starts over, so that a reader who keeps up never makes it grow.
    this.#head = this.#size === 0 ? 0 : (this.#head + 1) % this.#capacity;
    return event;
  }

  *tryIter(): IterableIterator<E> {
    while (this.#size > 0) yield this.#take();
  }

  close(): void {
    this.#isClosed = true;
    for (const wake of this.#waiting) wake({ done: true, value: undefined });
    this.#waiting.clear();
  }

  [Symbol.asyncIterator](): AsyncIterator<E, undefined> {
    const own = new Set<(result: IteratorResult<E, undefined>) => void>();
    let isOver = false;
    return {
      next: () => {
        if (!isOver && this.#size > 0) return Promise.resolve({ done: false, value: this.#take() });
        if (isOver || this.#isClosed) return Promise.resolve({ done: true, value: undefined });
        return new Promise((resolve) => {
          const wake = (result: IteratorResult<E, undefined>): void => {
            own.delete(wake);
            resolve(result);
          };
          own.add(wake);
          this.#waiting.add(wake);
        });
      },
      return: () => {
        isOver = true;
        for (const wake of own) {
          this.#waiting.delete(wake);
          wake({ done: true, value: undefined });
        }
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
