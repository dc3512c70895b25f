import { invalidArgument } from "@nidus/jobs-core/adapter";

/**
 * Returns a whole number that is within a range, both ends included.
 *
 * @throws TypeError for a value that is no number, RangeError for any other number.
 */
export function requireInRange(
  what: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  const Refusal = typeof value === "number" ? RangeError : TypeError;
  throw invalidArgument(what, `a whole number ${range}`, value, Refusal);
}
