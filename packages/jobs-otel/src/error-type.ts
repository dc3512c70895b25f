import type { JobError } from "@nidus/jobs-core";
import { thrownErrorOf } from "@nidus/jobs-core/adapter";

/** Returns the class name of what a job threw, for `error.type`. Never throws, whatever the job threw. */
export function errorTypeOf(error: JobError): string {
  try {
    const thrown = thrownErrorOf(error);
    // A name that was set says more than the class. Most classes set none, and inherit the name of their parent.
    const setsName = Object.hasOwn(thrown, "name") || Object.hasOwn(thrown.constructor.prototype, "name");
    const type = setsName ? thrown.name : thrown.constructor.name;
    return typeof type === "string" && type !== "" ? type : "Error";
  } catch {
    return error.name;
  }
}

/** Returns the stack of what a job threw, or an empty text if it has none. Never throws. */
export function stackOf(error: JobError): string {
  try {
    return thrownErrorOf(error).stack ?? "";
  } catch {
    return error.stack ?? "";
  }
}
