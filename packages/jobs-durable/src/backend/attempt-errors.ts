import type { LeasedJob } from "./job-backend.ts";
import type { JobOutcome } from "./job-outcome.ts";
import { parsedJson } from "./parsed-json.ts";
import type { JobAttemptError } from "./stored-job.ts";
import { validDate } from "./valid-date.ts";

const maxErrors = 10;
const maxMessageCharacters = 1_000;

/**
 * Returns the errors of a job's attempts after an outcome, the newest first, bounded in number and length. Undefined if the outcome has
 * no error. Store them beside the job, where retries and redrives keep them.
 */
export function errorsAfter(
  errors: readonly JobAttemptError[],
  { attempt, maxAttempts }: Pick<LeasedJob, "attempt" | "maxAttempts">,
  outcome: JobOutcome,
): readonly JobAttemptError[] | undefined {
  if (!("error" in outcome)) return undefined;
  // Half of a character is no text that every store takes.
  const message = outcome.error.slice(0, maxMessageCharacters).replace(/\p{Surrogate}/gu, "\ufffd");
  // A delivery above the limit tells that the last attempt has no recorded end.
  const newest = { attempt: Math.min(attempt, maxAttempts), message, at: new Date() };
  return [newest, ...errors].slice(0, maxErrors);
}

/** Reads errors back from JSON text or a parsed value, of any origin. Leaves out what is no error. */
export function attemptErrorsFrom(stored: unknown): readonly JobAttemptError[] {
  const errors = parsedJson(stored);
  if (!Array.isArray(errors)) return [];
  return errors.slice(0, maxErrors).flatMap((each: unknown) => {
    const { attempt, message, at } = Object(each) as Record<string, unknown>;
    const date = validDate(new Date(typeof at === "string" ? at : Number.NaN));
    if (!Number.isSafeInteger(attempt) || typeof message !== "string" || date === undefined) return [];
    return [{ attempt: attempt as number, message: message.slice(0, maxMessageCharacters), at: date }];
  });
}
