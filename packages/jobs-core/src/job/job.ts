import { type RefuseAsync, requireJob } from "../validation.ts";

/**
 * Describes synchronous work with a name. `run` does the work and returns its result; if it throws, the job has failed.
 *
 * A `run` that returns a promise is refused: by the compiler if it sees the promise, and always at run time. Make such
 * work an {@link AsyncJob}.
 */
export interface Job<T = void> {
  /** Never empty. It names the job in reports, metrics and spans, so use few distinct names. */
  readonly name: string;
  /** Does the work and returns its result. Throws to fail. */
  run(): T;
}

/**
 * Describes work with a name that may wait. Every {@link Job} is also an `AsyncJob`.
 *
 * `signal` is aborted when the caller wants the run to end; a job that ignores it runs to its own end. If the caller
 * gave no signal, the job gets one that never aborts and stores no listeners.
 */
export interface AsyncJob<T = void> {
  /** Never empty. It names the job in reports, metrics and spans, so use few distinct names. */
  readonly name: string;
  /** Does the work. The signal is aborted when the run should end. Throws or rejects to fail. */
  run(signal: AbortSignal): T | Promise<T>;
}

/** Executes synchronous jobs for a JobQueue. */
export interface JobRunner {
  /** Runs the job once. Returns or throws what the job does. */
  run<T>(job: Job<T>): T;
}

/** Executes jobs for an AsyncJobQueue. */
export interface AsyncJobRunner {
  /** Runs the job once. Resolves or rejects as the job does. */
  runAsync<T>(job: AsyncJob<T>, options?: { signal?: AbortSignal | undefined }): Promise<T>;
}

/**
 * Makes a synchronous job from a name and a function. Use it for work that needs no class.
 *
 * @throws TypeError if `name` is not a non-empty string or `run` is not a function.
 */
export function job<T>(name: string, run: (() => T) & RefuseAsync<T>): Job<T> {
  return requireJob({ name, run });
}

/**
 * Makes an async job from a name and a function. Use it for work that needs no class.
 *
 * @throws TypeError if `name` is not a non-empty string or `run` is not a function.
 */
export function asyncJob<T>(name: string, run: (signal: AbortSignal) => T | Promise<T>): AsyncJob<T> {
  return requireJob({ name, run });
}

/** Adds all jobs to a list, or none if one is not a job. @throws TypeError */
export function addJobs<J extends AsyncJob<unknown>>(list: { push(job: J): void }, jobs: readonly J[]): void {
  jobs.forEach(requireJob);
  for (const job of jobs) list.push(job);
}
