const dayMs = 24 * 60 * 60 * 1000;

/** The local time of a time zone. A wall time is the reading of a clock there, written as if it were UTC. */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError for a name that Intl does not know. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** Returns how far the clock is ahead of UTC at a moment, in milliseconds. */
  offsetAt(momentMs: number): number {
    const wholeMs = Math.floor(momentMs / 1000) * 1000;
    const parts = Object.fromEntries(
      this.#format.formatToParts(wholeMs).map(({ type, value }) => [type, Number(value)]),
    ) as Record<"year" | "month" | "day" | "hour" | "minute" | "second", number>;
    const { year, month, day, hour, minute, second } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs;
  }

  /**
   * Returns the moment of a wall time. If the clock shows it twice, returns the first moment. If the clock skips it, returns the
   * first moment after the gap.
   */
  momentOf(wallMs: number): number {
    const before = this.offsetAt(wallMs - dayMs);
    const first = wallMs - before;
    if (this.offsetAt(first) === before) return first;
    const after = this.offsetAt(wallMs + dayMs);
    const second = wallMs - after;
    return this.offsetAt(second) === after ? second : this.changeWithin(second, first);
  }

  /** Returns the first moment with another offset, between a moment and a later one whose offsets differ. */
  changeWithin(fromMs: number, toMs: number): number {
    const offset = this.offsetAt(fromMs);
    let [last, first] = [fromMs, toMs];
    while (first - last > 1) {
      const middle = Math.floor((first + last) / 2);
      if (this.offsetAt(middle) === offset) last = middle;
      else first = middle;
    }
    return first;
  }
}
