import type { JobDelivery } from "@nidus/jobs-observe";
import { timestampFrom } from "../database/column-types.ts";

/** A job as pg-boss hands it to a handler. With `includeMetadata: true` it has all of these properties. */
export interface HandledJob {
  /** The job's id. */
  readonly id: string;
  /** The queue's name, under which the job is observed. */
  readonly name: string;
  /** The number of attempts before this one. */
  readonly retryCount?: number;
  /** The number of attempts that may follow the first. */
  readonly retryLimit?: number;
  /** When the job was stored. */
  readonly createdOn?: Date;
  /** The time from which the job could run. */
  readonly startAfter?: Date;
  /** Seconds after which pg-boss fails the job if its handler is still running. */
  readonly expireInSeconds?: number;
  /** The output that pg-boss stored for the attempt before. */
  readonly output?: unknown;
  /** The abort signal of pg-boss 12. */
  readonly signal?: AbortSignal;
}

/** pg-boss 9 names its columns as PostgreSQL does. */
interface HandledJob9 {
  readonly retrycount?: number;
  readonly retrylimit?: number;
  readonly createdon?: Date;
  readonly startafter?: Date;
  readonly expire_in_seconds?: number;
}

/** pg-boss's default, assumed for a job without metadata. */
const defaultRetryLimit = 2;

/** The longest delay of a timer, in milliseconds. */
const maxTimerMs = 2 ** 31 - 1;

/** Describes the attempt for which pg-boss calls the handler. */
export function describeDelivery(job: HandledJob & HandledJob9): JobDelivery {
  const now = new Date();
  return {
    engine: "pg-boss",
    queue: job.name,
    jobId: job.id,
    attempt: (job.retryCount ?? job.retrycount ?? 0) + 1,
    maxAttempts: (job.retryLimit ?? job.retrylimit ?? defaultRetryLimit) + 1,
    enqueuedAt: dateOr(job.createdOn ?? job.createdon, now),
    runAt: dateOr(job.startAfter ?? job.startafter, now),
    correlationId: undefined,
    carrier: {},
  };
}

/**
 * Converts a date, which is text if the application has changed the parsers of its `pg`. Returns `otherwise` if there is none: drivers
 * return PostgreSQL's `infinity` as a number.
 */
function dateOr(value: unknown, otherwise: Date): Date {
  const ms = Number(typeof value === "string" ? timestampFrom(value) : (value ?? Number.NaN));
  return Number.isFinite(ms) ? new Date(ms) : otherwise;
}

/** Tells whether pg-boss gave the number of attempts. */
export function hasMetadata(job: HandledJob & HandledJob9): boolean {
  return (job.retryLimit ?? job.retrylimit) !== undefined;
}

/**
 * Returns the milliseconds after which pg-boss fails the batch: the longest expiry of its jobs. Returns undefined if no job tells its
 * expiry, or if no timer can wait that long.
 */
export function expiresAfterMs(jobs: readonly (HandledJob & HandledJob9)[]): number | undefined {
  const seconds = Math.max(...jobs.map((job) => Number(job.expireInSeconds ?? job.expire_in_seconds)));
  const ms = Math.max(1, seconds) * 1_000;
  return ms <= maxTimerMs ? ms : undefined;
}

/** Messages that pg-boss 10 to 12 store when they take back a job whose worker no longer answers. */
const stallNotes = ["job failed by timeout in active state", "job timed out", "job heartbeat timeout"];

/** Tells whether pg-boss took the job back from the attempt before this one. pg-boss 9 does not tell it. */
export function followsStalled({ output }: HandledJob): boolean {
  const { value } = Object(output) as { value?: { message?: unknown } | null };
  return stallNotes.includes(String(value?.message));
}
