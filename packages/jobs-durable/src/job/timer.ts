import { invalidArgument, requireWholeNumber } from "@nidus/jobs-core/adapter";

/** Node's timers hold 32 bits: a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/** @throws TypeError or RangeError for what is no time that a timer can wait. */
export function requireTimerMs(what: string, ms: number): number {
  requireWholeNumber(what, ms);
  if (ms > maxTimerMs) throw invalidArgument(what, `at most ${maxTimerMs}`, ms, RangeError);
  return ms;
}

/** @throws TypeError or RangeError for what is no time that a timer can wait, from 0. */
export function requireMs(what: string, ms: number): void {
  if (Number.isSafeInteger(ms) && ms >= 0 && ms <= maxTimerMs) return;
  throw invalidArgument(
    what,
    "a whole number of milliseconds from 0",
    ms,
    typeof ms === "number" ? RangeError : TypeError,
  );
}
