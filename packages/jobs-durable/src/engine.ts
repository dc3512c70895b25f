import type { DurableJob } from "./durable-job.ts";
import type { JobWorker, WorkOptions } from "./worker/job-worker.ts";

/** What an engine can do beyond storing and delivering jobs. Asking for what it cannot is an UnsupportedError at the call. */
export interface EngineCapabilities {
  /** Jobs outlive the process. */
  readonly persistence: boolean;
  /** `schedule` and `unschedule`. */
  readonly schedules: boolean;
  /** Several schedules of one job, told apart by `key`. */
  readonly scheduleKeys: boolean;
  /** `enqueue` within the caller's own database transaction. */
  readonly transactions: boolean;
  /** Payloads may contain `\u0000` and half surrogate pairs, which PostgreSQL cannot store. */
  readonly nullCharacters: boolean;
}

/** How a job is enqueued. */
export interface EnqueueOptions {
  /** Not before this moment, from 1970 to 9999. @default at once */
  readonly runAt?: Date | undefined;
  /**
   * A second enqueue with the same key is a duplicate and stores nothing: per job name, for as long as the first job is
   * retained. In a batch it holds for each position. A non-empty string of at most 512 characters.
   */
  readonly idempotencyKey?: string | undefined;
  /** What related work is found by: it comes with every delivery. A non-empty string of at most 512 characters. */
  readonly correlationId?: string | undefined;
  /** @default the job's own */
  readonly maxAttempts?: number | undefined;
}

/** An enqueue that the engine has acknowledged. */
export interface EnqueuedJob {
  /** By which the job is cancelled, and later redriven: a UUID. */
  readonly id: string;
  /** Whether a job with this idempotency key was there already: the id is that job's, and nothing was stored. */
  readonly isDuplicate: boolean;
}

/** How a job is scheduled. */
export interface ScheduleOptions {
  /** An IANA time zone, such as "Europe/Vienna". @default "UTC" */
  readonly timeZone?: string | undefined;
  /** Tells several schedules of one job apart. @default one schedule per job */
  readonly key?: string | undefined;
}

/** Which schedule of a job ends. */
export interface UnscheduleOptions {
  /** That of the schedule, if it has one. @default the schedule without a key */
  readonly key?: string | undefined;
}

/** How many jobs are in which state. Those that have ended are counted as long as they are retained. */
export interface JobCounts {
  /** To run at a later time: enqueued for then, or waiting for their next attempt. */
  readonly scheduled: number;
  /** Ready to run: the backlog. */
  readonly waiting: number;
  /** Leased to a worker. */
  readonly running: number;
  /** Ended well, and still retained. */
  readonly succeeded: number;
  /** Failed for the last time, and still retained. */
  readonly deadLettered: number;
  /** Cancelled before or during their run, and still retained. */
  readonly cancelled: number;
  /** Since when the oldest waiting job could have run, or undefined if none is waiting. */
  readonly oldestWaitingAt: Date | undefined;
}

/** The counts of all jobs together, and of each job name. */
export interface JobStats extends JobCounts {
  /** The counts of each job name that the engine has, by name. */
  readonly byName: Readonly<Record<string, JobCounts>>;
}

/** A job that failed for the last time. */
export interface DeadLetter {
  /** The job's id, by which it is redriven. */
  readonly id: string;
  /** The job's name. */
  readonly jobName: string;
  /** As it was stored: the schema's input. */
  readonly payload: unknown;
  /** How many attempts were made. */
  readonly attempts: number;
  /** The message of the last attempt's error. */
  readonly error: string;
  /** When its last attempt ended. */
  readonly failedAt: Date;
}

/** Which dead letters are listed. */
export interface DeadLetterOptions {
  /** How many at most, the newest first: a whole number from 1. @default 100 */
  readonly limit?: number | undefined;
}

/** Any job with this payload, whatever its handler gets of it. */
// biome-ignore lint/suspicious/noExplicitAny: with `never`, the payload of a definition written within the call would become `never` too.
export type JobWithPayload<Input> = DurableJob<Input, any>;

/** Any durable job: `never` accepts every payload type where none is looked at. */
export type AnyDurableJob = DurableJob<never, never>;

/**
 * Stores jobs and delivers them to workers, at least once. An acknowledged `enqueue` survives the death of any worker.
 * Calls that wait for a server wait a bounded time.
 *
 * Every call rejects with an EngineUnavailableError if the server is unreachable, and with an Error once the engine is closed.
 */
export interface JobEngine<Options extends EnqueueOptions = EnqueueOptions> extends AsyncDisposable {
  /** What stands in deliveries, labels and spans, such as "pg-boss". */
  readonly name: string;
  /** What it can do. What it cannot is refused at the call. */
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
   * Enqueues a job again and again, by the engine's own clock. Repeating the call replaces the schedule.
   *
   * @throws (rejects with) UnsupportedError where the engine has no schedules; TypeError for a cron expression or a time zone
   * that is none. An expression has five or six fields: names such as `@daily` are refused.
   */
  schedule(
    job: JobWithPayload<undefined>,
    cron: string,
    payload?: undefined,
    options?: ScheduleOptions,
  ): Promise<void>;
  schedule<Input>(
    job: JobWithPayload<Input>,
    cron: string,
    payload: NoInfer<Input>,
    options?: ScheduleOptions,
  ): Promise<void>;
  /**
   * Ends a schedule of a job, or of a job name that the code no longer has. Resolves to whether there was such a schedule. Jobs
   * that it has enqueued stay.
   */
  unschedule(job: AnyDurableJob | string, options?: UnscheduleOptions): Promise<boolean>;
  /** Starts to run jobs of these definitions, and of no others. */
  work(options: WorkOptions): Promise<JobWorker>;
  /**
   * Cancels a job before its run, or asks a running one to end through its signal, wherever it runs. Resolves to whether there
   * was a job to cancel.
   */
  cancel(jobId: string): Promise<boolean>;
  /** How many jobs are in which state, over all names and by name, as the store has them now. */
  stats(): Promise<JobStats>;
  /** Lists dead letters, the newest first. */
  deadLetters(options?: DeadLetterOptions): Promise<readonly DeadLetter[]>;
  /** Runs a dead letter again, its attempts reset. Resolves to whether there was one with this id: of several calls at once, to one. */
  redrive(jobId: string): Promise<boolean>;
  /**
   * Stops the engine's workers, with the times that `stop` has by default, and lets go of its connections. May be repeated.
   *
   * @throws (rejects with) EngineUnavailableError where letting go takes longer than the engine waits for an answer.
   */
  close(): Promise<void>;
}
