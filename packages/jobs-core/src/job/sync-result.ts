import { propertyOf } from "../foreign.ts";
import type { Job } from "./job.ts";
import { JobError } from "./job-error.ts";

/**
 * Returns the result of a synchronous job if it is not a promise. A refused promise gets a rejection handler, so that
 * it causes no unhandled rejection.
 *
 * @throws JobError "… returned a promise; push it to an AsyncJobQueue".
 */
export function requireSyncResult<T>(job: Job<T>, result: T): T {
  return typeof result === "function" || typeof result === "object" ? refusePromise(job, result) : result;
}

/** A function of its own: V8 inlines the check into each run only if it is small. */
function refusePromise<T>(job: Job<T>, result: T): T {
  if (typeof propertyOf(result, "then") !== "function") return result;
  // The async function calls `then` in a callback of its own, so a hostile thenable can do no harm.
  (async () => result)().catch(() => {});
  throw new JobError(`the job "${job.name}" returned a promise; push it to an AsyncJobQueue`);
}

/**
 * Refuses a generator as the result of a queued job: the queue would never read it, so its body would not run.
 *
 * @throws JobError "… returned a generator …".
 */
export function refuseGenerator(name: string, result: unknown): void {
  // A number or a text is not asked for a property: that takes several times as long as the rest of a short job.
  const tag = typeof result !== "object" || propertyOf(result, Symbol.toStringTag);
  if (tag === "Generator" || tag === "AsyncGenerator") {
    throw new JobError(`the job "${name}" returned a generator; read it inside the job`);
  }
}
