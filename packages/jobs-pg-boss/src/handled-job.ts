import type { JobDelivery } from "@nidus/jobs-observe";

/** A job as pg-boss hands it to a handler. With `includeMetadata`, it has all of these. */
export interface HandledJob {
  /** The job's id. */
  readonly id: string;
  /** The queue's name, which becomes the job's. */
  readonly name: string;
  /** How many attempts there were before this one. */
  readonly retryCount?: number;
  /** How many there may be after the first. */
  readonly retryLimit?: number;
  /** When it was stored. */
  readonly createdOn?: Date;
  /** From when it could run. */
  readonly startAfter?: Date;
  /** How long the handler may take before pg-boss fails the job, in seconds. */
  readonly expireInSeconds?: number;
  /** What pg-boss noted of the attempt before. */
  readonly output?: unknown;
  /** pg-boss's own, of version 12. */
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

/** pg-boss's own default, which a job without metadata is taken to have. */
const defaultRetryLimit = 2;

/** The longest time that a timer takes, in milliseconds. */
const maxTimerMs = 2 ** 31 - 1;

/** Describes the attempt for which pg-boss calls the handler. */
export function deliveryOf(job: HandledJob & HandledJob9): JobDelivery {
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

/** PostgreSQL's `infinity` comes as a number. */
function dateOr(value: unknown, otherwise: Date): Date {
  const ms = Number(value ?? Number.NaN);
  return Number.isFinite(ms) ? new Date(ms) : otherwise;
}

/** Whether pg-boss said how many attempts there are. */
export function hasMetadata(job: HandledJob & HandledJob9): boolean {
  return (job.retryLimit ?? job.retrylimit) !== undefined;
}

/** After how many milliseconds pg-boss fails the batch, by its rule: the longest time of its jobs. Undefined if it does not say. */
export function expiresAfterMs(jobs: readonly (HandledJob & HandledJob9)[]): number | undefined {
  const seconds = Math.max(...jobs.map((job) => Number(job.expireInSeconds ?? job.expire_in_seconds)));
  const ms = Math.max(1, seconds) * 1_000;
  return ms <= maxTimerMs ? ms : undefined;
}

/** What pg-boss 10 to 12 note when they take back a job whose worker no longer answers. */
const stallNotes = ["job failed by timeout in active state", "job timed out", "job heartbeat timeout"];

/** Whether the attempt before this one stalled: pg-boss took the job back. pg-boss 9 does not tell it. */
export function followsStalled({ output }: HandledJob): boolean {
  const { value } = Object(output) as { value?: { message?: unknown } | null };
  return stallNotes.includes(String(value?.message));
}
