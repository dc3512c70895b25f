import type { JobError } from "@nidus/jobs-core";

/** The class of what a job threw, for `error.type`. It never throws, whatever the cause is. */
export function errorTypeOf(error: JobError): string {
  try {
    const { cause } = error;
    if (!(cause instanceof Error)) return error.name;
    // Most classes leave `name` at "Error", and some set a name that says more than their class.
    const type = cause.name === "Error" ? cause.constructor.name : cause.name;
    return typeof type === "string" && type !== "" ? type : "Error";
  } catch {
    return error.name;
  }
}

/** The stack of what a job threw, or of the JobError where it has none. It never throws. */
export function stackOf(error: JobError): string | undefined {
  try {
    const { cause } = error;
    if (cause instanceof Error && typeof cause.stack === "string") return cause.stack;
  } catch {
    // A cause that cannot be read has no stack to show.
  }
  return error.stack;
}
