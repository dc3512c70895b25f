import {
  type AsyncJob,
  type AsyncJobRunner,
  describe,
  isCancellation,
  type Job,
  JobError,
  type JobRunner,
  neverAbortedSignal,
  type RefuseAsync,
  requireJob,
  requireSignal,
  requireSyncResult,
} from "@nidus/jobs-core";
import { type JobAttributes, noAttributes, withAttributes } from "./attributes.ts";
import { StartedRun } from "./context.ts";
import type { EnqueuedJobContext, JobDelivery, SettledJobContext } from "./delivery.ts";
import type { JobObserver } from "./observer.ts";
import { type ObserverErrorHandler, ObserverList } from "./observer-list.ts";
import { randomRunId, safeRunIds } from "./run-id.ts";

/** How an {@link ObservedJobRunner} treats its observers. */
export interface ObservedJobRunnerOptions {
  /** Hears whatever an observer throws or rejects with. @default one process warning per observer */
  readonly onObserverError?: ObserverErrorHandler | undefined;
}

/** How one async run is started. */
export interface RunAsyncOptions {
  /** Handed to the job. @default a signal that never aborts */
  readonly signal?: AbortSignal | undefined;
  /** For engines: the delivery that this run is. */
  readonly delivery?: JobDelivery | undefined;
}

/**
 * Runs jobs and tells observers. It changes nothing for the job: its result and the very error it threw come back, and
 * whatever observers do, the job runs exactly once. Observers start in order and finish in reverse.
 *
 * Two clock reads are the cost of a run; the run id and times of day are made when an observer reads them.
 */
export class ObservedJobRunner implements JobRunner, AsyncJobRunner {
  readonly #observers: ObserverList;
  #attributes: JobAttributes = noAttributes;
  #newRunId: () => string = randomRunId;

  /** @throws TypeError for an observer or an option that is not as documented. */
  constructor(observer: JobObserver | readonly JobObserver[] = [], options: ObservedJobRunnerOptions = {}) {
    const { onObserverError } = options;
    if (onObserverError !== undefined && typeof onObserverError !== "function") {
      throw new TypeError(`expected \`onObserverError\` to be a function, got ${describe(onObserverError)}`);
    }
    this.#observers =
      observer instanceof ObserverList && onObserverError === undefined
        ? observer
        : new ObserverList(Array.isArray(observer) ? observer : [observer as JobObserver], onObserverError);
  }

  #copy(): ObservedJobRunner {
    const copy = new ObservedJobRunner(this.#observers);
    copy.#attributes = this.#attributes;
    copy.#newRunId = this.#newRunId;
    return copy;
  }

  /**
   * A new runner whose runs carry this attribute too; this runner is unchanged.
   *
   * @throws TypeError for an empty key, or a value that is no string, number or boolean.
   */
  context(key: string, value: string | number | boolean): ObservedJobRunner;
  /** A new runner whose runs carry these attributes too; this runner is unchanged. */
  context(attributes: JobAttributes): ObservedJobRunner;
  context(keyOrAttributes: string | JobAttributes, value?: string | number | boolean): ObservedJobRunner {
    const added = typeof keyOrAttributes === "string" ? { [keyOrAttributes]: value } : keyOrAttributes;
    const copy = this.#copy();
    copy.#attributes = withAttributes(this.#attributes, added as JobAttributes);
    return copy;
  }

  /**
   * A new runner that makes its run ids with `generate`, at most once a run and only if an observer reads it.
   * Where `generate` throws or returns no id, a random one is used and a process warning says so, once.
   *
   * @throws TypeError if `generate` is not a function.
   */
  runIdGenerator(generate: () => string): ObservedJobRunner {
    if (typeof generate !== "function") {
      throw new TypeError(`runIdGenerator: expected a function, got ${describe(generate)}`);
    }
    const copy = this.#copy();
    copy.#newRunId = safeRunIds(generate);
    return copy;
  }

  /**
   * Runs a synchronous job and returns its result. Blocks as long as the job does.
   *
   * @throws whatever the job threw, unchanged; a JobError if it returned a promise; a TypeError for what is no job.
   */
  run<T>(job: Job<T> & RefuseAsync<T>): T {
    requireJob(job, "ObservedJobRunner.run");
    const started = new StartedRun(job.name, this.#attributes, undefined, this.#newRunId);
    if (!this.#observers.hasScopes) return this.#perform(started, job);
    return this.#observers.runInScope(started, () => this.#perform(started, job));
  }

  #perform<T>(started: StartedRun, job: Job<T>): T {
    const observers = this.#observers;
    observers.onJobStarted(started);
    let result: T;
    try {
      result = requireSyncResult(job, job.run());
    } catch (error) {
      observers.onJobFinished(started.finish(), "failure", JobError.from(error));
      throw error;
    }
    observers.onJobFinished(started.finish(), "success");
    return result;
  }

  /**
   * Runs a job that may wait, and resolves to its result.
   *
   * @throws (rejects with) whatever the job threw or rejected with, unchanged; a TypeError for what is no job or no signal.
   */
  runAsync<T>(job: AsyncJob<T>, options?: RunAsyncOptions): Promise<T> {
    let started: StartedRun;
    let signal: AbortSignal;
    try {
      requireJob(job, "ObservedJobRunner.runAsync");
      signal = requireSignal(options?.signal, "ObservedJobRunner.runAsync") ?? neverAbortedSignal();
      started = new StartedRun(job.name, this.#attributes, options?.delivery, this.#newRunId);
    } catch (error) {
      return Promise.reject(error);
    }
    if (!this.#observers.hasScopes) return this.#performAsync(started, job, signal);
    return this.#observers.runInScope(started, () => this.#performAsync(started, job, signal));
  }

  async #performAsync<T>(started: StartedRun, job: AsyncJob<T>, signal: AbortSignal): Promise<T> {
    const observers = this.#observers;
    observers.onJobStarted(started);
    let result: T;
    try {
      result = await job.run(signal);
    } catch (error) {
      const status = isCancellation(error, signal) ? "cancelled" : "failure";
      observers.onJobFinished(started.finish(), status, JobError.from(error));
      throw error;
    }
    observers.onJobFinished(started.finish(), "success");
    return result;
  }

  /** For engines: tells the observers that jobs are about to be stored. It never throws. */
  enqueued(context: EnqueuedJobContext): void {
    this.#observers.onJobEnqueued(context);
  }

  /** For engines: tells the observers what became of a delivery. It never throws. */
  settled(context: SettledJobContext): void {
    this.#observers.onJobSettled(context);
  }
}
