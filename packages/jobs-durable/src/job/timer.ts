import { requireInRange } from "./whole-number.ts";

/** Node's timers hold 32 bits: a longer one would fire at once. */
export const maxTimerMs: number = 2 ** 31 - 1;

/** @throws TypeError or RangeError for what is no time that a timer can wait. */
export function requireTimerMs(what: string, ms: number): number {
  return requireInRange(what, ms, 1, maxTimerMs);
}

/** @throws TypeError or RangeError for what is no time that a timer can wait, from 0. */
export function requireMs(what: string, ms: number): void {
  requireInRange(what, ms, 0, maxTimerMs);
}
