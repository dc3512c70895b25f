import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import type { ScheduleRule } from "../schedule/schedule-rule.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { EngineCapabilities } from "./engine-capabilities.ts";
import type { EnqueueOptions } from "./enqueue-options.ts";
import type { JobEnvelope } from "./envelope.ts";
import type { JobCounts } from "./job-counts.ts";
import type { AwaitedJob, JobEnd } from "./job-end.ts";
import type { JobOutcome, SettleResult } from "./job-outcome.ts";
import type { NameBacklog } from "./name-backlog.ts";
import type { StoredJob, StoredJobProgress } from "./stored-job.ts";
import type { StoredJobsPage, StoredJobsQuery } from "./stored-jobs-query.ts";
import type { StoredSchedule } from "./stored-schedule.ts";

/** A job on its way into an engine. */
export interface NewJob {
  /** A UUID. With an idempotency key, the id is derived from name and key. The ids of a batch ascend. */
  readonly id: string;
  /** The job's name, never empty. */
  readonly name: string;
  /** The JSON text of a JobEnvelope. Store it as it is: `envelopeFrom` reads it back for each delivery. */
  readonly envelopeText: string;
  /** Undefined: at once. */
  readonly runAt: Date | undefined;
  /**
   * How many attempts it has: a whole number from 1. If the last one ends with its worker's death, it is delivered once more, with
   * `attempt` above this.
   */
  readonly maxAttempts: number;
  /** Whether another job may have this id already. */
  readonly hasIdempotencyKey: boolean;
  /**
   * From 0, which starts first, to 9: among the jobs of its name that are due. Jobs of one priority start in the order of their
   * enqueues. A retry or a release keeps it. Always 0 unless `capabilities.priorities` is true.
   */
  readonly priority: number;
  /**
   * While another job of this name with this key holds it, the job is a duplicate. A job holds its key until it has ended, or for
   * `uniqueForMs`. A redriven job does not hold its key again. A job with such a key comes alone, and without an idempotency key.
   * Always undefined unless `capabilities.uniqueKeys` is true.
   */
  readonly uniqueKey: string | undefined;
  /**
   * The milliseconds from its enqueue for which the job holds its key, instead of until its end: less if it is cancelled, or no longer
   * retained.
   */
  readonly uniqueForMs: number | undefined;
  /** The milliseconds for which the job is kept after it has succeeded or was cancelled, instead of the engine's own time. */
  readonly retainMs: number | undefined;
}

/** A job on its way to a handler, leased to the consumer that fetched it. */
export interface LeasedJob {
  /** As it was stored. */
  readonly id: string;
  /** One of the names that the consumer was opened for. */
  readonly name: string;
  /** As it was stored. If another program stored the job, `envelopeFrom` makes an envelope of what is there. */
  readonly envelope: JobEnvelope;
  /** From 1. Deliveries that ended with their worker's death count; released ones do not. */
  readonly attempt: number;
  /** As it was stored. */
  readonly maxAttempts: number;
  /** When it was stored. */
  readonly enqueuedAt: Date;
  /** The moment from which this attempt could start. */
  readonly runAt: Date;
  /** Whether `cancel` was called for it, by any process, before it was fetched. */
  readonly isCancelRequested: boolean;
  /** Whether the attempt before this one ended without a recorded outcome: its worker died, or lost its lease. */
  readonly followsStalled: boolean;
  /**
   * The headers that came with the outcome "retried" or "snoozed" before this delivery. A released job keeps them. If an attempt has
   * stalled since, or the job was redriven, there are none. @default none
   */
  readonly previousCarrier?: Readonly<Record<string, string>> | undefined;
  /** Why the stored job cannot be read, if it cannot: it becomes a dead letter with this text, without a run. */
  readonly unreadable?: string | undefined;
}

/**
 * Leases jobs to one worker. A call rejects only for what may pass, such as a lost connection, and the worker repeats it. A fetch
 * that rejects may have leased jobs all the same: if the store can tell which, a later fetch returns them.
 */
export interface JobConsumer<Job extends LeasedJob> {
  /**
   * Leases at most `limit` jobs. Waits for a job. Resolves to an empty list after some seconds without one, and soon after the
   * signal is aborted.
   */
  fetch(limit: number, signal: AbortSignal): Promise<readonly Job[]>;
  /** Records how a job ended, if this consumer still holds its lease. */
  settle(job: Job, outcome: JobOutcome): Promise<SettleResult>;
  /**
   * Does what `settle` does, and leases one more job in the same call, for the same slot. If leasing fails, the call still resolves
   * with the outcome. Leave it out unless the store does both in one round trip: without it, a slot is free as soon as its handler
   * has ended, and the worker fetches while outcomes are recorded.
   */
  settleAndFetch?(job: Job, outcome: JobOutcome): Promise<SettleResult & { readonly next?: Job | undefined }>;
  /**
   * Renews the leases of jobs that run. The worker calls it about every quarter of `leaseMs` (checked each second), with all jobs
   * that it holds. It repeats a failed renewal at the next check. If the engine can tell, resolves to the ids of jobs whose lease is
   * lost for good. The worker no longer renews those.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an engine that cannot tell has nothing to return.
  renewLeases(jobs: readonly Job[]): Promise<readonly string[] | void>;
  /** Resolves to the ids of the jobs among these that have cancel requests. The worker asks every second, and after a handler has failed. */
  cancelRequests(jobs: readonly Job[]): Promise<readonly string[]>;
  /**
   * Stores how far a job has come, in place of what was stored before, if this consumer still holds its lease: else it changes nothing.
   * The worker calls it at most once a second for each job, and does not repeat a call that rejects. Needed for
   * `capabilities.progress`.
   */
  saveProgress?(job: Job, progress: StoredJobProgress): Promise<void>;
  /** Closes what the consumer has opened. The worker calls it after its last fetch and its last outcome. */
  close(): Promise<void>;
}

/**
 * Connects Nidus to a store: a thin layer over storage that exists, which knows nothing of handlers, schemas or observers. You
 * implement it to write an engine, and `createEngine` makes a JobEngine of it.
 */
export interface JobBackend<
  Job extends LeasedJob = LeasedJob,
  Options extends EnqueueOptions = EnqueueOptions,
> {
  /** Names the engine in deliveries, labels and spans. */
  readonly name: string;
  /** Lists what the store can do. The contracts test each claim, and the engine refuses calls that need more. */
  readonly capabilities: EngineCapabilities;
  /** Locates the store in error messages: host, port and database, or a folder. Never a user or a password. */
  readonly address: string;
  /** How long a lease holds without being renewed, in milliseconds. */
  readonly leaseMs: number;
  /**
   * How long a fetch waits for a job at most, in milliseconds. A worker that has not asked for three times as long is stuck.
   *
   * @default 20,000
   */
  readonly longestFetchMs?: number | undefined;
  /** Returns the store's own name for the queue of these jobs. */
  queueOf(jobName: string): string;
  /**
   * Begins work of the store's own, such as its maintenance: once, before any other call. If it rejects, nothing else is
   * called, so it closes what it has opened.
   */
  start?(): Promise<void>;
  /** How long `start` may take, in milliseconds, if that is longer than a call: creating tables takes its time. */
  readonly startWithinMs?: number | undefined;
  /**
   * Maps each option's name to a function that throws a TypeError for a wrong value: the options of `enqueue` that only this engine
   * has. The function is called for values that are given, before anything is stored. @default none
   */
  readonly enqueueOptions?: Readonly<Record<string, (value: unknown) => void>> | undefined;
  /**
   * Stores at most 500 jobs of one name. Resolves, in their order, to the id of each and whether it is a duplicate. A duplicate was
   * not stored. By a unique key, its id is that of the job that holds the key. If a caller enqueues more than 500
   * jobs at once, the engine makes several calls, one after the other, each with a deadline of its own.
   *
   * @throws (rejects with) EnqueuedInPartError if the store took some of the jobs and refused the others. Any other error says
   * that none was stored, or, if the connection was lost, that it is not known.
   */
  insert(jobs: readonly NewJob[], options: Options): Promise<readonly EnqueuedJob[]>;
  /** Resolves to the id of the job that holds a unique key. Needed for `capabilities.uniqueKeys`. */
  holderOf?(jobName: string, uniqueKey: string): Promise<string | undefined>;
  /** Opens the consumer of one worker, for jobs of these names alone. */
  consumer(jobNames: readonly string[]): Promise<JobConsumer<Job>>;
  /** Cancels what waits, marks what runs. Resolves to whether there was either. */
  cancel(jobId: string): Promise<boolean>;
  /**
   * The jobs that are ready and wait for a worker, and the dead letters, per name: every name that the engine has, if possible with one
   * query. Asked at each scrape, so it reads no job that has succeeded. In a large store, the dead letters may be counted up to a minute
   * earlier.
   */
  backlog(): Promise<readonly NameBacklog[]>;
  /** Resolves once the store has answered, as cheaply as it can. Asked by health checks. */
  ping(): Promise<void>;
  /**
   * The counts of every job name that the engine has. In a large store, jobs that have ended may be counted up to a minute earlier, but for
   * what this process has cancelled and redriven.
   */
  counts(): Promise<ReadonlyMap<string, JobCounts>>;
  /** Newest first, at most `limit` of them, over all job names. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  /** Makes a dead letter a waiting job again, its attempts reset. Resolves to whether there was one of this id. */
  redrive(jobId: string): Promise<boolean>;
  /**
   * Finds a job in any state, if `capabilities.listing` is claimed. Resolves to undefined if there is none of this id, which may be any
   * text. Reads the payload only if asked for.
   */
  job?(jobId: string, options: { readonly withPayload: boolean }): Promise<StoredJob | undefined>;
  /**
   * Reads how at most 500 jobs have ended. Resolves to one end for each, in their order. An id may be any text. Needed for
   * `capabilities.results`: while callers wait for results, the engine asks once a second, for all of them at once.
   */
  ends?(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]>;
  /**
   * Calls `onEnd` with the id of each job of this name that ends, in whatever process, so that `ends` is asked at once. Resolves to a
   * function that ends this. Leave it out if the store does not tell: the engine then asks once a second.
   */
  watchEnds?(jobName: string, onEnd: (jobId: string) => void): Promise<() => Promise<void>>;
  /**
   * Lists jobs page by page, if `capabilities.listing` is claimed: of one name the newest first, of all names by name and id, as far as
   * the store can. A job that keeps its state meanwhile is on exactly one page. Every page takes the store a bounded time, however many
   * jobs it has.
   *
   * @throws (rejects with) `wrongCursor()` for a position that it cannot have named.
   */
  jobs?(query: StoredJobsQuery): Promise<StoredJobsPage>;
  /**
   * Moves the start of a job that is scheduled or waits, to any moment. Resolves to whether there was one of this id. Needed for
   * `capabilities.listing`, as the next two.
   */
  reschedule?(jobId: string, runAt: Date): Promise<boolean>;
  /**
   * Does what `cancel` does for at most 200 jobs of one name, except for those that run and were asked to end before. Resolves to the ids of
   * the others that had not ended: of several calls at once, one has each.
   */
  cancelAll?(jobName: string, jobIds: readonly string[]): Promise<readonly string[]>;
  /** Does what `redrive` does for at most 200 jobs of one name. Resolves to the ids of those that were dead letters. */
  redriveAll?(jobName: string, jobIds: readonly string[]): Promise<readonly string[]>;
  /**
   * Runs a job at each moment of a rule, as `nextMoment` computes them, by the store's own clock. A second call with the same key
   * replaces the schedule, with its next run. The same call again changes nothing: a run that is late stays. A run that came due
   * while no worker was up runs once. A rule with no moment left ends the schedule. The id and the `runAt` of the job are not used.
   */
  schedule?(job: NewJob, rule: ScheduleRule): Promise<void>;
  /** Ends a schedule, with its next run. Resolves to whether there was one. Jobs that have started stay. */
  unschedule?(jobName: string, key: string | undefined): Promise<boolean>;
  /** The schedules of a job name, or if it is undefined, of all names, in any order. */
  schedules?(jobName: string | undefined): Promise<readonly StoredSchedule[]>;
  /** Tells whether an error says that the server is unreachable. The codes of sockets and DNS are known without it. */
  isUnreachable?(error: unknown): boolean;
  /** Lets go of connections. Called once, after the workers have stopped. */
  close(): Promise<void>;
}
