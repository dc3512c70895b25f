import { unixTimeMs } from "@nidus/jobs-observe/adapter";

/**
 * A moment that is set with every run and read at a scrape. A time of day costs as much as all the counting together, so it is made
 * at the first read and kept: it stays the same at every scrape, whatever happens to the clock.
 */
export class LazyTime {
  #monotonicMs = Number.NaN;
  #convertedMs = Number.NaN;
  #unixMs = Number.NaN;

  /** `monotonicMs` is a moment by `performance.now()`; NaN for none. */
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
