import { isNativeError } from "node:util/types";
import { JobError } from "@nidus/jobs-core";

/** What a job threw: the cause of a JobError that was made of it and says no more, or the JobError itself. */
export function thrownError(error: JobError): Error {
  try {
    const { cause } = error;
    if (!isPlainJobError(error) || !isError(cause)) return error;
    return JobError.from(cause).message === error.message ? cause : error;
  } catch {
    return error;
  }
}

/** The name of its class, which is what pino's serializer writes as `type`. It never throws, whatever was thrown. */
export function thrownType(error: JobError): string {
  try {
    return String(thrownError(error).constructor.name);
  } catch {
    return error.name;
  }
}

/** Whether an error is a JobError and no subclass of it. The class of another installed copy is another object. */
function isPlainJobError(error: JobError): boolean {
  const prototype = Object.getPrototypeOf(error) as object;
  return Object.hasOwn(prototype, "name") && (prototype as Error).name === "JobError";
}

/** Of any realm, such as a test runner's. A DOMException is no native error, but has a stack. */
export function isError(value: unknown): value is Error {
  return isNativeError(value) || typeof (value as Partial<Error> | undefined)?.stack === "string";
}
