import type { JobEnvelope, NewJob } from "@nidus/jobs-durable/backend";
import type { Job, JobsOptions } from "bullmq";

/** What a BullMQ job carries as its data. */
export interface StoredData extends JobEnvelope {
  /** Unix milliseconds from which the next attempt can start, where that is not when it was enqueued. */
  readonly runAtMs?: number;
  /** Tells which of two jobs with one id was stored. */
  readonly nonce?: string;
}

/** How long jobs that have ended are kept, in BullMQ's seconds. */
export interface Retention {
  readonly succeededSeconds: number;
  readonly deadLettersSeconds: number;
}

export function dataOf({ envelope, runAt, hasIdempotencyKey }: NewJob): StoredData {
  return {
    ...envelope,
    ...(runAt !== undefined && { runAtMs: runAt.getTime() }),
    ...(hasIdempotencyKey && { nonce: crypto.randomUUID() }),
  };
}

export function optionsOf(
  { maxAttempts }: Pick<NewJob, "maxAttempts">,
  { succeededSeconds, deadLettersSeconds }: Retention,
): JobsOptions {
  return {
    attempts: maxAttempts,
    // For workers of other programs: here, the delay is decided where the job ran.
    backoff: { type: "exponential", delay: 250 },
    removeOnComplete: { age: succeededSeconds },
    removeOnFail: { age: deadLettersSeconds },
    // Stacks are for logs and spans: the message is kept as the reason.
    stackTraceLimit: 0,
  };
}

/** Milliseconds for which the idempotency key of a job holds after it has ended without a failure: 0 if it has none. */
export function keyHeldMs({ data, opts }: Job<StoredData>): number {
  const { age } = (opts.removeOnComplete ?? {}) as { readonly age?: unknown };
  return data?.nonce === undefined ? 0 : countOf(age) * 1000;
}

/** In 2001: no job is older. */
const firstMoment = 1e12;

/** When a job could run: at its time, at its schedule's, or as soon as it was there. Unix milliseconds that nothing else is, or now. */
export function timesOf(
  { data, opts, timestamp, processedOn }: Job<StoredData>,
  runAtMs: number | undefined,
): { readonly enqueuedAt: Date; readonly runAt: Date } {
  const { prevMillis } = opts as { prevMillis?: unknown };
  // BullMQ reads whatever begins with a digit as a number.
  const enqueuedAtMs = timeOf(timestamp > firstMoment ? timestamp : undefined, processedOn);
  return {
    enqueuedAt: new Date(enqueuedAtMs),
    runAt: new Date(timeOf(runAtMs, data?.runAtMs, prevMillis, enqueuedAtMs)),
  };
}

/** The first that is a time, or now: other programs store times that are text, or beyond the year 275760. */
export function timeOf(...values: readonly unknown[]): number {
  const isTime = (value: unknown): value is number =>
    typeof value === "number" && value >= 0 && value <= 8.64e15;
  return values.find(isTime) ?? Date.now();
}

/** A count from 0 that another program may have written: 0 if it is none. */
export function countOf(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0;
}
