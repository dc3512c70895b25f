import type { JobEnvelope, NewJob } from "@nidus/jobs-durable/backend";
import type { Job, JobsOptions } from "bullmq";
import { countOf } from "../bullmq-internals/index.ts";

/** The data of a BullMQ job. */
export interface StoredData extends JobEnvelope {
  /** When the job can start, in Unix milliseconds. Absent if that is when it was enqueued. */
  readonly runAtMs?: number;
  /** Tells apart two jobs with the same id. */
  readonly nonce?: string;
}

/** How long jobs that have ended are kept, in seconds as BullMQ has them. */
export interface RetentionSeconds {
  readonly succeededSeconds: number;
  readonly deadLettersSeconds: number;
}

/** BullMQ's scripts write numbers with 14 digits: a larger count would come back as another one, or as none. */
const mostAttempts = 2 ** 31 - 1;

/** Returns the options of a new BullMQ job. */
export function optionsOf(
  { maxAttempts, priority, uniqueKey, uniqueForMs, retainMs }: NewJob,
  { succeededSeconds, deadLettersSeconds }: RetentionSeconds,
): JobsOptions {
  return {
    attempts: Math.min(maxAttempts, mostAttempts),
    // BullMQ has 0 for a job without a priority, which starts first, too.
    ...(priority > 0 && { priority }),
    ...(uniqueKey !== undefined && {
      deduplication: { id: uniqueKey, ...(uniqueForMs && { ttl: uniqueForMs }) },
    }),
    // For workers of other programs. A worker of this engine decides on the delay itself.
    backoff: { type: "exponential", delay: 250 },
    removeOnComplete: retainMs === 0 || {
      age: retainMs === undefined ? succeededSeconds : Math.ceil(retainMs / 1000),
    },
    removeOnFail: { age: deadLettersSeconds },
    // Stacks belong in logs and spans. BullMQ keeps the message as the reason.
    stackTraceLimit: 0,
  };
}

/** Returns the milliseconds for which a job's idempotency key holds after an end without a failure. 0 for a job without a key. */
export function keyHeldMs({ data, opts }: Job<StoredData>): number {
  const { age } = (opts.removeOnComplete ?? {}) as { readonly age?: unknown };
  return data?.nonce === undefined ? 0 : countOf(age) * 1000;
}
