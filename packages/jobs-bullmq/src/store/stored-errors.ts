import type { JobAttemptError } from "@nidus/jobs-durable";
import { attemptErrorsFrom } from "@nidus/jobs-durable/backend";

/** Reads the errors of attempts from the field `nidusErrors` of a job, which each failed attempt writes with its outcome. */
export function errorsFrom(text: string | null | undefined): readonly JobAttemptError[] {
  try {
    return attemptErrorsFrom(JSON.parse(text ?? "[]"));
  } catch {
    return [];
  }
}
