import { unixTimeMs } from "@nidus/jobs-observe/adapter";

/**
 * Keeps a moment that every run sets and a scrape reads. Converting it to a time of day costs as much as all the
 * counting, so the first read converts it and keeps the result. The result stays the same at every scrape, whatever
 * happens to the clock.
 */
export class LazyTime {
  #clockMs = Number.NaN;
  #convertedMs = Number.NaN;
  #unixMs = Number.NaN;

  /** `clockMs` is a moment of `performance.now()`, or NaN for none. */
  set(clockMs: number): void {
    this.#clockMs = clockMs;
  }

  /** Unix milliseconds, or NaN for no moment. */
  get unixMs(): number {
    if (this.#convertedMs !== this.#clockMs) {
      this.#convertedMs = this.#clockMs;
      this.#unixMs = Number.isNaN(this.#clockMs) ? Number.NaN : unixTimeMs(this.#clockMs);
    }
    return this.#unixMs;
  }
}
