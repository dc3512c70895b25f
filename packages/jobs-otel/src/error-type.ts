import { isNativeError } from "node:util/types";
import type { JobError } from "@nidus/jobs-core";

/** The class of what a job threw, for `error.type`. It never throws, whatever was thrown. */
export function errorTypeOf(error: JobError): string {
  try {
    const thrown = thrownOf(error);
    // A name that was set says more than the class, and most classes set none: theirs is one that they inherit.
    const setsName = Object.hasOwn(thrown, "name") || Object.hasOwn(thrown.constructor.prototype, "name");
    const type = setsName ? thrown.name : thrown.constructor.name;
    return typeof type === "string" && type !== "" ? type : "Error";
  } catch {
    return error.name;
  }
}

/** The stack of what a job threw, or an empty text where it has none. It never throws. */
export function stackOf(error: JobError): string {
  try {
    return thrownOf(error).stack ?? "";
  } catch {
    return error.stack ?? "";
  }
}

/** Shortens what is longer than a span may carry. It never throws, and takes what should be a text but is not. */
export function cut(text: unknown, maxLength: number): string {
  const all = typeof text === "string" ? text : "";
  return all.length <= maxLength ? all : `${all.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/**
 * The error that a job threw: the cause of a JobError that was made of it, or the JobError where that is what it threw. It may come
 * from another realm, such as a test runner's.
 */
function thrownOf(error: JobError): Error {
  const { cause } = error as { cause?: unknown };
  return isPlainJobError(error) && isError(cause) ? cause : error;
}

/** A DOMException is no native error, but has a stack. */
function isError(value: unknown): value is Error {
  return isNativeError(value) || typeof (value as Partial<Error> | undefined)?.stack === "string";
}

/** Whether an error is a JobError and no subclass of it. The class of another installed copy is another object. */
function isPlainJobError(error: JobError): boolean {
  const prototype = Object.getPrototypeOf(error) as object;
  return Object.hasOwn(prototype, "name") && (prototype as Error).name === "JobError";
}
