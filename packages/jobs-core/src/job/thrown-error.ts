import { isNativeError } from "node:util/types";
import { propertyOf } from "../foreign.ts";
import { JobError } from "./job-error.ts";

/**
 * Returns the error that a job threw: the cause of a JobError that was made from it, or the JobError itself if the job threw
 * that. Never throws, whatever getters or proxies the job threw.
 */
export function thrownErrorOf(error: JobError): Error {
  try {
    const { cause } = error;
    if (!isPlainJobError(error) || !isErrorLike(cause)) return error;
    return JobError.from(cause).message === error.message ? cause : error;
  } catch {
    return error;
  }
}

/**
 * Tells whether a value is an error of any realm, such as a test runner's. A DOMException is no native error, but has a stack.
 * Never throws, even for hostile getters and proxies.
 */
export function isErrorLike(value: unknown): value is Error {
  return isNativeError(value) || typeof propertyOf(value, "stack") === "string";
}

/** Tells a JobError from its subclasses. It compares names, since another installed copy has another class. */
function isPlainJobError(error: JobError): boolean {
  const prototype = Object.getPrototypeOf(error) as object;
  return Object.hasOwn(prototype, "name") && (prototype as Error).name === "JobError";
}
