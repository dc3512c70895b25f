import { isDate } from "node:util/types";

/** Unix milliseconds of a date of any realm, or undefined for what is no moment: an invalid date, or no date at all. */
export function timeMsOf(date: unknown): number | undefined {
  const timeMs = isDate(date) ? date.getTime() : Number.NaN;
  return Number.isFinite(timeMs) ? timeMs : undefined;
}
