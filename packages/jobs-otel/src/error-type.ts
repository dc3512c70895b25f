import { JobError } from "@nidus/jobs-core";

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

/** The stack of what a job threw, or of the JobError where it has none. It never throws. */
export function stackOf(error: JobError): string | undefined {
  try {
    return thrownOf(error).stack;
  } catch {
    return error.stack;
  }
}

/** The error that a job threw: the cause of a JobError that was made of it, or the JobError where that is what it threw. */
function thrownOf(error: JobError): Error {
  return error.constructor === JobError && error.cause instanceof Error ? error.cause : error;
}
