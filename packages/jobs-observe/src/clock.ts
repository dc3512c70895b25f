let originMs: number | undefined;

/**
 * The Unix time, in milliseconds with fractions, of a moment read from `performance.now()`.
 *
 * The monotonic clock stands still while a machine sleeps and is not slewed like the clock of the day, so the distance
 * between the two is taken anew whenever it is off by more than 10 ms: ten times the resolution of `Date.now()`.
 */
export function unixTimeMs(monotonicMs: number): number {
  const measured = Date.now() - performance.now();
  if (originMs === undefined || Math.abs(measured - originMs) > 10) {
    originMs = Math.abs(measured - performance.timeOrigin) > 10 ? measured : performance.timeOrigin;
  }
  return originMs + monotonicMs;
}
