import type { JobError } from "@nidus/jobs-core";
import { invalidArgument } from "@nidus/jobs-core/adapter";
import { backoffMs, defaultBackoff, type JobBackoff, waitFrom } from "../job/backoff.ts";
import type { BackoffFunction } from "../job/durable-job.ts";

/** Returns the milliseconds until the next attempt. If a function gives none, they are those of the default, and `onError` hears of it. */
export function retryDelayMs(
  backoff: JobBackoff | BackoffFunction,
  attempt: number,
  error: JobError,
  onError: (error: unknown) => void,
): number {
  if (typeof backoff !== "function") return backoffMs(backoff, attempt);
  try {
    const returned: unknown = backoff(attempt, error);
    const delayMs = waitFrom(returned);
    if (delayMs !== undefined) return delayMs;
    // An async function may reject later.
    Promise.resolve(returned).catch(() => {});
    onError(invalidArgument("the result of `backoff`", "a number of milliseconds from 0", returned));
  } catch (thrown) {
    onError(thrown);
  }
  return backoffMs(defaultBackoff, attempt);
}
