import { type RefuseAsync, requireJob } from "../validation.ts";

/**
 * Synchronous work with a name. `run` does the work and returns its result; throwing means the job failed.
 *
 * A `run` that returns a promise is refused, by the compiler where it can be seen and at run time everywhere:
 * such work is an {@link AsyncJob}.
 */
export interface Job<T = void> {
  /** Never empty. It names the job in reports, metrics and spans, so few distinct names are best. */
  readonly name: string;
  /** Does the work, and returns its result. What it throws is a failure. */
  run(): T;
}

/**
 * Work with a name that may wait. Every {@link Job} is also an `AsyncJob`.
 *
 * `signal` is aborted when the caller wants the run to end; a job that does not look at it runs to its own end.
 * It is always there: without a caller's signal it is one that never aborts and stores no listeners.
 */
export interface AsyncJob<T = void> {
  /** Never empty. It names the job in reports, metrics and spans, so few distinct names are best. */
  readonly name: string;
  /** Does the work. The signal is aborted when the run is to end; it never is where the caller gave none. */
  run(signal: AbortSignal): T | Promise<T>;
}

/** Whatever executes synchronous jobs for a {@link JobQueue}, returning or throwing what the job does. */
export interface JobRunner {
  /** Runs the job once, and returns or throws what the job does. */
  run<T>(job: Job<T>): T;
}

/** Whatever executes jobs for an {@link AsyncJobQueue}, resolving or rejecting as the job does. */
export interface AsyncJobRunner {
  /** Runs the job once, and resolves or rejects as the job does. */
  runAsync<T>(job: AsyncJob<T>, options?: { signal?: AbortSignal | undefined }): Promise<T>;
}

/**
 * A synchronous job from a name and a function, for work that needs no class.
 *
 * @throws TypeError if `name` is not a non-empty string or `run` is not a function.
 */
export function job<T>(name: string, run: (() => T) & RefuseAsync<T>): Job<T> {
  return requireJob({ name, run });
}

/**
 * An async job from a name and a function, for work that needs no class.
 *
 * @throws TypeError if `name` is not a non-empty string or `run` is not a function.
 */
export function asyncJob<T>(name: string, run: (signal: AbortSignal) => T | Promise<T>): AsyncJob<T> {
  return requireJob({ name, run });
}
