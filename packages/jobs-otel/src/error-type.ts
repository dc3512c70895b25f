import type { JobError } from "@nidus/jobs-core";
import { thrownErrorOf } from "@nidus/jobs-core/adapter";

/** The class of what a job threw, for `error.type`. It never throws, whatever was thrown. */
export function errorTypeOf(error: JobError): string {
  try {
    const thrown = thrownErrorOf(error);
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
    return thrownErrorOf(error).stack ?? "";
  } catch {
    return error.stack ?? "";
  }
}
