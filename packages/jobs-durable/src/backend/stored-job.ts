import type { JobAttributes } from "@nidus/jobs-observe";

/** The states of a stored job, in the order in which most jobs have them. */
export type StoredJobState =
  /** To run at a later time: enqueued for then, or waiting for its next attempt. */
  | "scheduled"
  /** Ready to run. */
  | "waiting"
  /** Leased to a worker. */
  | "running"
  | "succeeded"
  /** Failed for the last time. */
  | "dead-lettered"
  | "cancelled";

/** All states, in that order. */
export const storedJobStates: readonly StoredJobState[] = [
  "scheduled",
  "waiting",
  "running",
  "succeeded",
  "dead-lettered",
  "cancelled",
];

/** The error of one attempt of a job. */
export interface JobAttemptError {
  /** From 1. The attempts of a redriven job count from 1 again. */
  readonly attempt: number;
  /** The error's message, cut at 1,000 characters. */
  readonly message: string;
  /** When the attempt ended. */
  readonly at: Date;
}

/** How far a job has come, as its handler reported it last. It stays when the job has ended, until the job is redriven. */
export interface StoredJobProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly note?: string | undefined;
}

/** A job as the store has it now. A job that has ended is there for as long as it is retained. */
export interface StoredJob {
  readonly id: string;
  /** The job's name. */
  readonly jobName: string;
  readonly state: StoredJobState;
  /** How many attempts have started: 0 before the first start. Deliveries that were released do not count. */
  readonly attempt: number;
  /** How many attempts it has. */
  readonly maxAttempts: number;
  readonly enqueuedAt: Date;
  /** The moment from which its next attempt can start, or its last one could. */
  readonly runAt: Date;
  /** When its last attempt started. */
  readonly startedAt?: Date | undefined;
  /** When it succeeded, was cancelled or became a dead letter. */
  readonly finishedAt?: Date | undefined;
  /** From 0, the first, to 9. */
  readonly priority: number;
  readonly correlationId?: string | undefined;
  readonly attributes: JobAttributes;
  readonly progress?: StoredJobProgress | undefined;
  /** The errors of its attempts: the newest first, at most 10. A redriven job keeps them. */
  readonly errors: readonly JobAttemptError[];
  /** As it was stored: the schema's input. Only if asked for. */
  readonly payload?: unknown;
}
