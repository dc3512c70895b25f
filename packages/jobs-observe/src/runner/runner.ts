import { type AsyncJob, type AsyncJobRunner, type Job, JobError, type JobRunner } from "@nidus/jobs-core";
import {
  isCancellation,
  type RefuseAsync,
  requireFunction,
  requireJobName,
  requireJobRun,
  requireKnownKeys,
  requireSignal,
  requireSyncResult,
} from "@nidus/jobs-core/adapter";
import { type JobAttributes, withAttributes } from "../context/attributes.ts";
import {
  FinishedContext,
  type ObservedJobContext,
  type RunSettings,
  StartedContext,
} from "../context/context.ts";
import type {
  DeclaredJobOptions,
  EnqueuedJobContext,
  JobDelivery,
  SettledJobContext,
} from "../context/delivery.ts";
import { type JobObjectives, requireObjectives } from "../context/objectives.ts";
import type { JobObserver, JobResultStatus, OpenedEngineContext } from "../observer/observer.ts";
import { type ObserverErrorHandler, ObserverList } from "../observer/observer-list.ts";
import { warnOnce } from "../warn-once.ts";
import { runIdFrom } from "./run-id.ts";

/** How an {@link ObservedJobRunner} treats its observers. */
export interface ObservedJobRunnerOptions {
  /** Receives whatever an observer throws or rejects with. @default one process warning per observer */
  readonly onObserverError?: ObserverErrorHandler | undefined;
}

/** A job that is known before its first run. */
export interface DeclaredJob {
  /** The job's name. */
  readonly name: string;
  /** What the owner of the job promises. @default what an earlier declaration says, else nothing */
  readonly objectives?: JobObjectives | undefined;
  /** For engines: the name of the engine that will deliver the job. */
  readonly engine?: string | undefined;
  /** For engines: the queue that the job will come from. */
  readonly queue?: string | undefined;
  /** For engines: how the job will run. */
  readonly options?: DeclaredJobOptions | undefined;
}

/** How one async run is started. */
export interface RunAsyncOptions {
  /** The signal that the job receives. @default a signal that never aborts */
  readonly signal?: AbortSignal | undefined;
  /** For engines: the delivery that this run belongs to. */
  readonly delivery?: JobDelivery | undefined;
  /** For engines: receives the run's context before the observers do. */
  readonly onContext?: ((context: ObservedJobContext) => void) | undefined;
}

interface RunnerSettings extends RunSettings {
  readonly observers: ObserverList;
}

/**
 * Runs jobs and tells observers. The job notices nothing: its result, or the very error that it threw, comes back.
 * Whatever observers do, the runner calls the job once. Observers start in order and finish in reverse.
 *
 * A run costs two clock reads. The run id and times of day are made when an observer reads them.
 */
export class ObservedJobRunner implements JobRunner, AsyncJobRunner {
  #settings: RunnerSettings;

  /** @throws TypeError for a value that is no observer, or for an invalid option. */
  constructor(observer: JobObserver | readonly JobObserver[] = [], options: ObservedJobRunnerOptions = {}) {
    requireKnownKeys("the options", options, ["onObserverError"]);
    const { onObserverError = warnOnce } = options;
    requireFunction("`onObserverError`", onObserverError);
    this.#settings = {
      attributes: Object.freeze({}),
      observers: new ObserverList([observer].flat(), onObserverError),
    };
  }

  /**
   * Makes a runner whose runs also carry this attribute. This runner is unchanged.
   *
   * @throws TypeError for an empty key, or for a value that is not a string, number or boolean.
   */
  context(key: string, value: string | number | boolean): ObservedJobRunner;
  /** Makes a runner whose runs also carry these attributes. This runner is unchanged. */
  context(attributes: JobAttributes): ObservedJobRunner;
  context(keyOrAttributes: string | JobAttributes, value?: string | number | boolean): ObservedJobRunner {
    const added = typeof keyOrAttributes === "string" ? { [keyOrAttributes]: value } : keyOrAttributes;
    return this.#with({ attributes: withAttributes(this.#settings.attributes, added as JobAttributes) });
  }

  /**
   * Makes a runner that takes its run ids from `generate`. It calls `generate` at most once per run, and only if an
   * observer reads the id. If `generate` throws or returns no non-empty string, a random id is used, and a process
   * warning says so once.
   *
   * @throws TypeError if `generate` is not a function.
   */
  runIdGenerator(generate: () => string): ObservedJobRunner {
    requireFunction("`generate`", generate);
    return this.#with({ runId: () => runIdFrom(generate) });
  }

  #with(settings: Partial<RunnerSettings>): ObservedJobRunner {
    const runner = new ObservedJobRunner();
    runner.#settings = { ...this.#settings, ...settings };
    return runner;
  }

  /**
   * Runs a synchronous job and returns its result. Blocks as long as the job does.
   *
   * @throws what the job threw, unchanged; a JobError if the job returned a promise; a TypeError for a value that is no
   * job.
   */
  run<T>(job: Job<T> & RefuseAsync<T>): T {
    // Reads each property once: V8 has to look it up if jobs have many classes.
    const name = requireJobName(job);
    const run = requireJobRun(job);
    const started = new StartedContext(name, this.#settings);
    return this.#settings.observers.scopes[0]
      ? this.#performInScopes(started, job, run)
      : this.#perform(started, job, run);
  }

  /** A function of its own: V8 makes room for closures when a function begins, and a run without a scope needs none. */
  #performInScopes<T>(started: StartedContext, job: Job<T>, run: () => T): T {
    return this.#settings.observers.runInScope(started, () => this.#perform(started, job, run));
  }

  #perform<T>(started: StartedContext, job: Job<T>, run: () => T): T {
    let result: T;
    this.#settings.observers.onJobStarted(started);
    try {
      result = requireSyncResult(job, run.call(job));
    } catch (error) {
      this.#finish(started, "failure", error);
      throw error;
    }
    this.#finish(started, "success");
    return result;
  }

  #finish(started: StartedContext, status: JobResultStatus, thrown?: unknown): void {
    this.#settings.observers.onJobFinished(
      new FinishedContext(started),
      status,
      status === "success" ? undefined : JobError.from(thrown),
    );
  }

  /**
   * Runs a job that may wait. Resolves to its result.
   *
   * @throws (rejects with) what the job threw or rejected with, unchanged; a TypeError for a value that is no job or no
   * signal.
   */
  runAsync<T>(job: AsyncJob<T>, options?: RunAsyncOptions): Promise<T> {
    try {
      // Not `requireKnownKeys` alone: for the usual keys, it would cost a tenth of a short run.
      for (const key in options) {
        if (key === "signal" || key === "delivery") continue;
        requireKnownKeys("the options", options as object, ["signal", "delivery", "onContext"]);
      }
      const name = requireJobName(job);
      const run = requireJobRun(job);
      const started = new StartedContext(name, this.#settings, options?.delivery);
      const signal = requireSignal(options?.signal);
      options?.onContext?.(started);
      return this.#settings.observers.runInScope(started, () =>
        this.#performAsync(started, job, run, signal),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #performAsync<T>(
    started: StartedContext,
    job: AsyncJob<T>,
    run: AsyncJob<T>["run"],
    signal: AbortSignal,
  ): Promise<T> {
    let running: Promise<T>;
    this.#settings.observers.onJobStarted(started);
    try {
      running = Promise.resolve(run.call(job, signal));
    } catch (error) {
      running = Promise.reject(error);
    }
    // An async function around the job would cost twice as much as these two callbacks.
    return running.then(
      (result) => {
        this.#finish(started, "success");
        return result;
      },
      (error) => {
        this.#finish(started, isCancellation(error, signal) ? "cancelled" : "failure", error);
        throw error;
      },
    );
  }

  /**
   * Tells the observers which jobs will run, so that their counters exist at 0 before the first run, and what the owners
   * of the jobs promise.
   *
   * @throws TypeError or RangeError for a job without a name or with invalid objectives, before any observer is told.
   */
  declare(...jobs: readonly DeclaredJob[]): void {
    const contexts = jobs.map((job) => ({
      jobName: requireJobName(job),
      objectives: requireObjectives(job.objectives),
      engine: job.engine,
      queue: job.queue,
      options: job.options,
    }));
    for (const context of contexts) this.#settings.observers.onJobDeclared(context);
  }

  /** For engines: tells the observers that the engine is open, and how to read its backlog. Never throws. */
  opened(context: OpenedEngineContext): void {
    this.#settings.observers.onEngineOpened(context);
  }

  /** For engines: tells the observers that jobs are about to be stored. Never throws. */
  enqueued(context: EnqueuedJobContext): void {
    this.#settings.observers.onJobEnqueued(context);
  }

  /** For engines: tells the observers the outcome of a delivery. Never throws. */
  settled(context: SettledJobContext): void {
    this.#settings.observers.onJobSettled(context);
  }
}
