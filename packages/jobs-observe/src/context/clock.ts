/** Unix time, in milliseconds, at which `performance.now()` was 0. */
let originMs = Number.NaN;

/**
 * Returns the Unix time, in milliseconds with fractions, of a moment read from `performance.now()`. It is finite and not
 * negative, also if a test has replaced the clocks.
 *
 * The monotonic clock stands still while a machine sleeps and is not slewed like the clock of the day, so the distance
 * between the two is taken anew whenever it is off by more than 10 ms: ten times the resolution of `Date.now()`.
 */
export function unixTimeMs(monotonicMs: number): number {
  const measuredMs = Date.now() - performance.now();
  if (!(Math.abs(measuredMs - originMs) <= 10)) originMs = measuredMs;
  const unixMs = originMs + monotonicMs;
  return unixMs >= 0 && unixMs < Infinity ? unixMs : Date.now();
}
