import type { EngineHealth } from "@nidus/jobs-observe";
import type { DeadLetter } from "../backend/dead-letter.ts";
import type { EngineCapabilities } from "../backend/engine-capabilities.ts";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobCounts } from "../backend/job-counts.ts";
import type { StoredJob } from "../backend/stored-job.ts";
import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import type { JobWorker, WorkOptions } from "../execution/job-worker.ts";
import type { AnyDurableJob, JobWithPayload } from "../job/durable-job.ts";
import type {
  JobSchedule,
  ScheduleInterval,
  ScheduleOptions,
  SchedulesQuery,
  UnscheduleOptions,
} from "./job-schedule.ts";
import type {
  CancelAllQuery,
  JobKey,
  JobLookupOptions,
  JobsPage,
  JobsQuery,
  RedriveAllQuery,
} from "./jobs-query.ts";

/** The counts of all jobs together, and of each job name. */
export interface JobStats extends JobCounts {
  /** The counts of each job name that the engine has, by name. */
  readonly byName: Readonly<Record<string, JobCounts>>;
}

/** Which dead letters are listed. */
export interface DeadLetterOptions {
  /** How many at most, the newest first: a whole number from 1. @default 100 */
  readonly limit?: number | undefined;
}

/** How long the result of a job is waited for. */
export interface ResultOptions {
  /** Milliseconds: a whole number from 1. @default 30,000 */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait when it is aborted. The job goes on. @default a signal that never aborts */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores jobs and delivers them to workers, at least once. An acknowledged `enqueue` survives the death of any worker.
 * Calls that wait for a server wait a bounded time.
 *
 * Every call rejects with an EngineUnavailableError if the server is unreachable, and with an Error once the engine is closed.
 */
export interface JobEngine<Options extends EnqueueOptions = EnqueueOptions> extends AsyncDisposable {
  /** The engine's name in deliveries, labels and spans, such as "pg-boss". */
  readonly name: string;
  /** The features of the engine. It refuses a call that needs a missing one. */
  readonly capabilities: EngineCapabilities;
  /**
   * Stores a job; resolves once the engine has it. A job without a payload needs none here.
   *
   * @throws (rejects with) PayloadError; TypeError or RangeError for an option that is not as documented.
   */
  enqueue(job: JobWithPayload<undefined>, payload?: undefined, options?: Options): Promise<EnqueuedJob>;
  enqueue<Input>(
    job: JobWithPayload<Input>,
    payload: NoInfer<Input>,
    options?: Options,
  ): Promise<EnqueuedJob>;
  /**
   * Stores jobs, in slices of at most 500: an engine waits for an answer to each slice. Resolves, in the payloads' order, once all
   * are stored. Every payload and option is checked before the first slice.
   *
   * @throws (rejects with) PayloadError, TypeError or RangeError, with nothing stored; EnqueuedInPartError if some jobs were
   * stored, which says which. Repeating the whole call is safe with an `idempotencyKey`. With a `db`, your transaction decides.
   */
  enqueueMany<Input>(
    job: JobWithPayload<Input>,
    payloads: readonly NoInfer<Input>[],
    options?: Options,
  ): Promise<readonly EnqueuedJob[]>;
  /**
   * Runs a job at each moment of a cron expression, or at an interval. A second call with the same key replaces the schedule, and
   * the same call again changes nothing: call it each time your service starts. A run that comes due while no worker is up runs
   * once, late.
   *
   * An expression has five fields, or six with seconds first: numbers, names, `*`, ranges, lists, steps, `L` and `#`. If the clock of
   * the time zone skips a time, the run is due at the first moment after the gap. If it shows a time twice, the run is due once.
   *
   * @throws (rejects with) UnsupportedError if the engine has no schedules, or none of this kind; PayloadError; TypeError or
   * RangeError for an expression, an interval or an option that is not as documented.
   */
  schedule(
    job: JobWithPayload<undefined>,
    when: string | ScheduleInterval,
    payload?: undefined,
    options?: ScheduleOptions,
  ): Promise<void>;
  schedule<Input>(
    job: JobWithPayload<Input>,
    when: string | ScheduleInterval,
    payload: NoInfer<Input>,
    options?: ScheduleOptions,
  ): Promise<void>;
  /**
   * Lists the schedules of all jobs, or of one job name, by job name and key.
   *
   * @throws (rejects with) UnsupportedError if the engine has none; TypeError or RangeError for a query that is not as documented.
   */
  schedules(query?: SchedulesQuery): Promise<readonly JobSchedule[]>;
  /**
   * Ends a schedule of a job, or of a job name that the code no longer has. Its next run goes with it; jobs that have started
   * stay. Resolves to whether there was such a schedule.
   */
  unschedule(job: AnyDurableJob | string, options?: UnscheduleOptions): Promise<boolean>;
  /** Starts to run jobs of these definitions, and of no others. */
  work(options: WorkOptions): Promise<JobWorker>;
  /**
   * Cancels a job before its run, or asks a running one to end through its signal, wherever it runs. Resolves to whether there
   * was a job to cancel.
   */
  cancel(jobId: string): Promise<boolean>;
  /**
   * Looks a job up by its id, in any state. Resolves to undefined if there is none: it never was, or is no longer retained.
   *
   * @throws (rejects with) UnsupportedError if the engine cannot list its jobs.
   */
  job(jobId: string, options?: JobLookupOptions): Promise<StoredJob | undefined>;
  /**
   * Looks a job up by its unique key, if it holds the key now, or by its idempotency key.
   *
   * @throws (rejects with) UnsupportedError if the engine cannot list its jobs, or has no unique keys.
   */
  job(key: JobKey, options?: JobLookupOptions): Promise<StoredJob | undefined>;
  /**
   * Waits until a job has ended. Resolves to a copy of what its handler returned: JSON of at most 1 MiB, or undefined. The result is
   * there for as long as the job is retained.
   *
   * @throws (rejects with) JobError with the message of the last attempt if the job is a dead letter; NoResultError at once if there is
   * no such job, if it was cancelled or is no longer retained; TypeError if the handler returned what is no JSON, or too much of it:
   * the job has succeeded all the same; a DOMException named "TimeoutError" after `timeoutMs`; the reason of the signal; Error when
   * the engine is closed; UnsupportedError if the engine stores no results.
   */
  result(jobId: string, options?: ResultOptions): Promise<unknown>;
  /**
   * Lists stored jobs, page by page: the newest first of one name, else by name and id. A job that keeps its state during the paging is
   * listed exactly once, on Redis at least once. A job that moves may come again, in another state.
   *
   * @throws (rejects with) UnsupportedError if the engine cannot list its jobs; TypeError for a cursor that is not that of the page
   * before; TypeError or RangeError for a query that is not as documented.
   */
  jobs(query?: JobsQuery): Promise<JobsPage>;
  /**
   * How many jobs are in which state, over all names and by name. Jobs that have not ended are counted as the store has them now. In a large
   * store, the counts of ended ones may be up to a minute old.
   */
  stats(): Promise<JobStats>;
  /**
   * Moves the start of a job that is scheduled or waits. Resolves to whether there was one.
   *
   * @throws (rejects with) TypeError or RangeError for a `runAt` that is not from 1970 to 9999; UnsupportedError if the engine cannot list
   * its jobs.
   */
  reschedule(jobId: string, runAt: Date): Promise<boolean>;
  /**
   * Cancels the jobs of a name that wait, and asks those that run to end, in portions that do not hold the store. Resolves to how many:
   * calls at the same time count each job once. Jobs that are enqueued meanwhile may be left.
   *
   * @throws (rejects with) UnsupportedError if the engine cannot list its jobs.
   */
  cancelAll(query: CancelAllQuery): Promise<number>;
  /** Lists dead letters, the newest first. */
  deadLetters(options?: DeadLetterOptions): Promise<readonly DeadLetter[]>;
  /** Runs a dead letter again, its attempts reset. Resolves to whether there was one with this id: of several calls at once, to one. */
  redrive(jobId: string): Promise<boolean>;
  /**
   * Says whether the store answers now, how long that took, and how the workers of this process do. Resolves within a second, also if
   * the store is away.
   */
  health(): Promise<EngineHealth>;
  /**
   * Redrives dead letters, in portions that do not hold the store. Resolves to how many: calls at the same time count each job once. A job
   * that becomes a dead letter again meanwhile stays one.
   *
   * @throws (rejects with) UnsupportedError if the engine cannot list its jobs.
   */
  redriveAll(query?: RedriveAllQuery): Promise<number>;
  /**
   * Stops the engine's workers, with the times that `stop` has by default, and closes its connections. May be repeated.
   *
   * @throws (rejects with) EngineUnavailableError if letting go takes longer than the engine waits for an answer.
   */
  close(): Promise<void>;
}

/** A JobEngine that `createEngine` made, before its backend has begun. */
export interface StartableEngine<Options extends EnqueueOptions = EnqueueOptions> extends JobEngine<Options> {
  /**
   * Starts the own work of the backend, if it has any. Resolves to the engine. Repeated calls tell the backend once.
   *
   * @throws (rejects with) what the backend's `start` does, with the engine closed; EngineUnavailableError if it takes too long;
   * Error if the engine was closed meanwhile.
   */
  start(): Promise<this>;
}
