import type { Job } from "./job.ts";
import { JobError } from "./job-error.ts";

/**
 * The result of a synchronous job, once it is known not to be a promise.
 * A promise that came back all the same is watched, so that its rejection is not an unhandled one.
 *
 * @throws JobError "… returned a promise; push it to an AsyncJobQueue".
 */
export function requireSyncResult<T>(job: Job<T>, result: T): T {
  if (isThenable(result)) {
    ignoreRejection(result);
    throw new JobError(`the job "${job.name}" returned a promise; push it to an AsyncJobQueue`);
  }
  return result;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === "function";
  } catch {
    return false;
  }
}

async function ignoreRejection(promise: PromiseLike<unknown>): Promise<void> {
  try {
    await promise;
  } catch {
    // The job has failed already, for returning a promise at all.
  }
}
