import { unixTimeMs } from "@nidus/jobs-observe/adapter";

/**
 * Keeps a moment that every run sets and a scrape reads. Converting it to a time of day costs as much as all the
 * counting, so the first read converts it and keeps the result. The result stays the same at every scrape, whatever
 * happens to the clock.
 */
export class LazyTime {
  #monotonicMs = Number.NaN;
  #convertedMs = Number.NaN;
  #unixMs = Number.NaN;

  /** `monotonicMs` is a moment of `performance.now()`, or NaN for none. */
  set(monotonicMs: number): void {
    this.#monotonicMs = monotonicMs;
  }

  /** Unix milliseconds, or NaN for no moment. */
  get unixMs(): number {
    if (this.#convertedMs !== this.#monotonicMs) {
      this.#convertedMs = this.#monotonicMs;
      this.#unixMs = Number.isNaN(this.#monotonicMs) ? Number.NaN : unixTimeMs(this.#monotonicMs);
    }
    return this.#unixMs;
  }
}
