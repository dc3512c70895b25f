import { JobError } from "@nidus/jobs-core";

/** What a job threw: the cause of a JobError that was made of it and says no more, or the JobError itself. */
export function thrownError(error: JobError): Error {
  try {
    const { cause } = error;
    if (error.constructor !== JobError || !(cause instanceof Error)) return error;
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
