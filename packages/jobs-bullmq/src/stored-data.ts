import type { JobEnvelope, NewJob } from "@nidus/jobs-durable";
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

/** The name of the backoff that every job here has: its delay is decided where the job ran. */
export const backoffType = "nidus";

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
    backoff: { type: backoffType },
    removeOnComplete: { age: succeededSeconds },
    removeOnFail: { age: deadLettersSeconds },
    // Stacks are for logs and spans: the message is kept as the reason.
    stackTraceLimit: 0,
  };
}

/** When a job could run: at its time, at its next attempt's, at its schedule's, or as soon as it was there. */
export function runAtOf({ data, opts, timestamp }: Job<StoredData>): Date {
  const { prevMillis } = opts as { prevMillis?: number };
  return new Date(data?.runAtMs ?? prevMillis ?? timestamp);
}
