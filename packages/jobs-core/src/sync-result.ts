import type { Job } from "./job.ts";
import { JobError } from "./job-error.ts";

/**
 * The result of a synchronous job, once it is known not to be a promise.
 * A promise that came back all the same is watched, so that its rejection is not an unhandled one.
 *
 * @throws JobError "… returned a promise; push it to an AsyncJobQueue".
 */
export function requireSyncResult<T>(job: Job<T>, result: T): T {
  if (!isThenable(result)) return result;
  // Asks a thenable for its rejection in a callback of its own, where also a hostile one can do no harm.
  new Promise((resolve) => resolve(result)).catch(() => {});
  throw new JobError(`the job "${job.name}" returned a promise; push it to an AsyncJobQueue`);
}

function isThenable(value: unknown): boolean {
  try {
    return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
  } catch {
    return false;
  }
}
