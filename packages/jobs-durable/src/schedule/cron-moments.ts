import { Cron } from "croner";
import { ZoneClock } from "./zone-clock.ts";

/** Hour fields that every hour matches. */
const everyHour = /^(.*,)?(\*(\/1)?|0-23(\/1)?|\?)(,.*)?$/;

/**
 * The moments of a cron expression in a time zone. At a change of the clock, a schedule for certain hours keeps to the clock: it comes
 * due once, after the gap, for times that the clock skips, and once for a time that the clock shows twice. A schedule for every hour
 * goes on through the change.
 */
export class CronMoments {
  readonly #cron: Cron;
  readonly #clock: ZoneClock;
  readonly #isHourly: boolean;

  /** @throws an error for an expression that is none, and RangeError for a time zone that is none. */
  constructor(expression: string, timeZone: string) {
    // It computes with wall times, so it must not know the time zone.
    this.#cron = new Cron(expression, { timezone: "UTC", mode: "5-or-6-parts" });
    this.#clock = new ZoneClock(timeZone);
    this.#isHourly = everyHour.test(expression.trim().split(/\s+/).at(-4) as string);
  }

  /** Returns the first moment after another. Undefined if there is none. */
  next(afterMs: number): number | undefined {
    return this.#isHourly ? this.#nextOfHourly(afterMs) : this.#nextByClock(afterMs);
  }

  /** Returns the last moment that is not after another. Undefined if there is none. */
  latest(untilMs: number): number | undefined {
    return this.#isHourly ? this.#latestOfHourly(untilMs) : this.#latestByClock(untilMs);
  }

  #nextByClock(afterMs: number): number | undefined {
    let wallMs: number | undefined = afterMs + this.#clock.offsetAt(afterMs);
    for (;;) {
      wallMs = this.#nextWall(wallMs);
      if (wallMs === undefined) return undefined;
      const momentMs = this.#clock.momentOf(wallMs);
      // The clock may show times for the second time.
      if (momentMs > afterMs) return momentMs;
    }
  }

  #latestByClock(untilMs: number): number | undefined {
    const dayMs = 24 * 60 * 60 * 1000;
    let wallMs: number | undefined =
      untilMs + Math.max(this.#clock.offsetAt(untilMs), this.#clock.offsetAt(untilMs - dayMs)) + 1;
    for (;;) {
      wallMs = this.#wallBefore(wallMs);
      if (wallMs === undefined) return undefined;
      const momentMs = this.#clock.momentOf(wallMs);
      if (momentMs <= untilMs) return momentMs;
    }
  }

  #nextOfHourly(afterMs: number): number | undefined {
    let [fromMs, offset] = [afterMs, this.#clock.offsetAt(afterMs + 1)];
    for (;;) {
      const wallMs = this.#nextWall(fromMs + offset);
      if (wallMs === undefined) return undefined;
      const momentMs = wallMs - offset;
      const ownOffset = this.#clock.offsetAt(momentMs);
      if (ownOffset === offset) return momentMs;
      // The clock changes before that: go on from the change, with the new offset.
      fromMs = this.#clock.changeWithin(fromMs + 1, momentMs) - 1;
      offset = this.#clock.offsetAt(fromMs + 1);
    }
  }

  #latestOfHourly(untilMs: number): number | undefined {
    let [toMs, offset] = [untilMs, this.#clock.offsetAt(untilMs)];
    for (;;) {
      const wallMs = this.#wallBefore(toMs + offset + 1);
      if (wallMs === undefined) return undefined;
      const momentMs = wallMs - offset;
      if (this.#clock.offsetAt(momentMs) === offset) return momentMs;
      toMs = this.#clock.changeWithin(momentMs, toMs) - 1;
      offset = this.#clock.offsetAt(toMs);
    }
  }

  #nextWall(afterMs: number): number | undefined {
    return this.#cron.nextRun(new Date(afterMs))?.getTime();
  }

  #wallBefore(beforeMs: number): number | undefined {
    return this.#cron.previousRuns(1, new Date(beforeMs))[0]?.getTime();
  }
}
