import type { WorkerHealth } from "@nidus/jobs-observe";
import type { AnyDurableJob } from "../job/durable-job.ts";

/** Options of a worker. */
export interface WorkOptions {
  /** At least one, of different names. The worker takes deliveries of these and leaves all others to workers that know them. */
  readonly jobs: readonly AnyDurableJob[];
  /** How many handlers run at a time at most, over all jobs: a whole number from 1. @default 1 */
  readonly concurrency?: number | undefined;
}

/** How a worker is stopped. */
export interface StopOptions {
  /** Milliseconds for what runs to finish by itself. @default 30,000 */
  readonly graceMs?: number | undefined;
  /** Milliseconds for handlers to end after their signals were aborted. @default 5,000 */
  readonly abortMs?: number | undefined;
}

/** Counts how the deliveries of a worker ended, from its start until it had stopped. */
export interface WorkerReport {
  /** Handlers that were started. */
  readonly started: number;
  /** Handlers that ended well. */
  readonly succeeded: number;
  /** Failures that are tried again. */
  readonly retried: number;
  /** Runs that snoozed. */
  readonly snoozed: number;
  /** Failures for the last time, and jobs given up since their workers had died with them. */
  readonly deadLettered: number;
  /** Cancelled before or during their run. */
  readonly cancelled: number;
  /** Ended by the shutdown, and released without an attempt spent. */
  readonly interrupted: number;
  /** Still running when `stop` returned; released as well. */
  readonly abandoned: number;
}

/** Takes jobs from an engine and runs them, until it is stopped. */
export interface JobWorker extends AsyncDisposable {
  /**
   * Says how the worker does, from what it knows: it asks the store nothing. A worker without free slots is working. One with free
   * slots whose loop no longer asks the store, although the store answers, is stuck.
   */
  health(): WorkerHealth;
  /**
   * How many handlers run at a time at most. Set it at any time: if it grows, more jobs start at once. If it shrinks, running handlers
   * finish, and none starts until there is room. Jobs that were already on their way are released.
   *
   * @throws TypeError or RangeError for a value that is not a whole number from 1: the concurrency stays as it was.
   */
  concurrency: number;
  /**
   * Takes no new work, lets what runs finish for `graceMs`, then aborts the handlers' signals, waits `abortMs`, and releases
   * what did not finish, without an attempt spent. Repeated calls resolve to the same report. It never rejects.
   *
   * @throws TypeError or RangeError for a time that is not a whole number from 0.
   */
  stop(options?: StopOptions): Promise<WorkerReport>;
}
