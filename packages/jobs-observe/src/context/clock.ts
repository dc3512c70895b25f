/** The Unix time, in milliseconds, at which `performance.now()` was 0. */
let originMs = Infinity;

/**
 * Returns the Unix time, in milliseconds with fractions, of a moment read from `performance.now()`. The result is
 * finite and not negative, also if a test has replaced the clocks.
 *
 * The monotonic clock stands still while a machine sleeps, and is not adjusted like the clock of the day. The distance
 * between the two is measured again if it is off by more than 10 ms, which is ten times the resolution of `Date.now()`.
 */
export function unixTimeMs(clockMs: number): number {
  const measuredMs = Date.now() - performance.now();
  if (Math.abs(measuredMs - originMs) > 10) originMs = measuredMs;
  const unixMs = originMs + clockMs;
  return unixMs >= 0 && unixMs < Infinity ? unixMs : Date.now();
}
