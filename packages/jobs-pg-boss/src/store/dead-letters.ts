import type { DeadLetter } from "@nidus/jobs-durable";
import { envelopeFrom } from "@nidus/jobs-durable/backend";
import type { Row } from "../database/run-sql.ts";
import { jobName } from "./queue-name.ts";

/** Makes a dead letter of a row that the statement `deadLetters` returned. */
export function deadLetterFrom({
  id,
  name,
  data,
  retry_count,
  retry_limit,
  output,
  failed_at,
}: Row): DeadLetter {
  return {
    id,
    jobName: jobName(name),
    payload: envelopeFrom(data).payload,
    // If the worker of the last attempt died, one more delivery made the job a dead letter.
    attempts: Math.max(Math.min(retry_count + 1, retry_limit), 1),
    error: errorMessageFrom(output),
    failedAt: failed_at,
  };
}

/** Finds the message that an outcome left in the output, or that pg-boss left when it gave up a job. */
export function errorMessageFrom(output: unknown): string {
  const { message, value } = (output ?? {}) as { message?: unknown; value?: { message?: unknown } };
  return String(message ?? value?.message ?? "unknown");
}
