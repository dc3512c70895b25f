import type { JobError } from "@nidus/jobs-core";
import { formatValue, invalidArgument } from "@nidus/jobs-core/adapter";

/** Describes a failure: a pattern or a part of its message, or the class of the thrown error. */
export type ExpectedFailure = RegExp | string | (abstract new (...args: never) => unknown);

/**
 * Tells whether an error is as expected.
 *
 * @throws TypeError if `expected` is no pattern, string or class.
 */
export function isExpectedFailure(expected: ExpectedFailure, error: JobError): boolean {
  if (typeof expected === "function") return error instanceof expected || error.cause instanceof expected;
  return typeof expected === "string"
    ? error.message.includes(expected)
    : // Unlike `test`, `search` ignores the position that a pattern with the flag `g` keeps.
      error.message.search(expected) >= 0;
}

/** Formats an expectation, such as `RangeError`, `/full/` or `"mailbox full"`. @throws TypeError if it is none. */
export function describeExpectedFailure(expected: ExpectedFailure): string {
  if (expected instanceof RegExp || (typeof expected === "string" && expected !== ""))
    return formatValue(expected);
  // An arrow function has no prototype, and is no class.
  if (typeof expected === "function" && expected.prototype) return expected.name || "an anonymous class";
  throw invalidArgument("`expected`", "a pattern, a non-empty string or a class", expected);
}
