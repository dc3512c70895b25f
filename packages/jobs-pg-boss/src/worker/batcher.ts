interface PendingItem<Item, Result> {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Processes items in batches, one batch at a time. Items that arrive meanwhile form the next batch: a busy caller gets large
 * batches, and no item waits for a timer.
 */
export class Batcher<Item, Result> {
  readonly #process: (items: readonly Item[]) => Promise<readonly Result[]>;
  #pending: PendingItem<Item, Result>[] = [];
  #isProcessing = false;

  /** Takes the function that resolves to one result per item, in the order of the items. */
  constructor(process: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#process = process;
  }

  add(item: Item): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => this.#pending.push({ item, resolve, reject }));
    if (!this.#isProcessing) {
      this.#isProcessing = true;
      // In the next turn of the event loop, so that all items of this turn go together.
      setImmediate(() => this.#drain());
    }
    return result;
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        const results = await this.#process(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isProcessing = false;
  }
}
