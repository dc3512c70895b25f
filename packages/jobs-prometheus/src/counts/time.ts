import { isDate } from "node:util/types";

/** Returns the Unix milliseconds of a date of any realm. Returns undefined for an invalid date or another value. */
export function timeMsOf(date: unknown): number | undefined {
  const timeMs = isDate(date) ? date.getTime() : Number.NaN;
  return Number.isFinite(timeMs) ? timeMs : undefined;
}
