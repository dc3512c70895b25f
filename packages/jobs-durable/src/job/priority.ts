import { requireInRange } from "./whole-number.ts";

/** The priority of a job that starts after all others of its name. */
const lastPriority = 9;

/** @throws RangeError for a number that is no priority, TypeError for no number. */
export function requirePriority(priority: number): number {
  return requireInRange("`priority`", priority, 0, lastPriority);
}
