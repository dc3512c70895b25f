import type { JobError } from "@nidus/jobs-core";
import { formatValue, invalidArgument } from "@nidus/jobs-core/adapter";

/** What a run failed with: a pattern or a part of its message, or the class of what the job threw. */
export type ExpectedFailure = RegExp | string | (abstract new (...args: never) => unknown);

/**
 * Whether an error is as expected.
 *
 * @throws TypeError for what is no such expectation.
 */
export function isExpectedFailure(expected: ExpectedFailure, error: JobError): boolean {
  if (typeof expected === "function") return error instanceof expected || error.cause instanceof expected;
  return typeof expected === "string"
    ? error.message.includes(expected)
    : // Unlike `test`, it does not begin where a pattern with the flag `g` has left off.
      error.message.search(expected) >= 0;
}

/** Such as `RangeError`, `/full/` or `"mailbox full"`. @throws TypeError for what is no such expectation. */
export function describeExpectedFailure(expected: ExpectedFailure): string {
  if (expected instanceof RegExp || (typeof expected === "string" && expected !== ""))
    return formatValue(expected);
  // An arrow function has no prototype, and is no class.
  if (typeof expected === "function" && expected.prototype) return expected.name || "an anonymous class";
  throw invalidArgument("`expected`", "a pattern, a non-empty string or a class", expected);
}
