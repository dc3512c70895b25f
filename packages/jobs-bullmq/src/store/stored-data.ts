import { carrierFrom, type JobEnvelope, type NewJob } from "@nidus/jobs-durable/backend";
import type { Job, JobsOptions } from "bullmq";
import { countOf, scheduledAtOf, timeOf } from "../bullmq-internals/index.ts";

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

/** Returns the options of a new BullMQ job. */
export function optionsOf(
  { maxAttempts, priority, uniqueKey, uniqueForMs, retainMs }: NewJob,
  { succeededSeconds, deadLettersSeconds }: RetentionSeconds,
): JobsOptions {
  return {
    attempts: maxAttempts,
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

/** Returns the seconds for which a job asks to be kept after it has succeeded. Undefined for other requests, which are BullMQ's to meet. */
export function ownRetentionSeconds({ opts }: Job<StoredData>): number | undefined {
  const keep: unknown = opts.removeOnComplete;
  if (typeof keep !== "object" || keep === null) return undefined;
  const { age } = keep as { readonly age?: unknown };
  return typeof age === "number" && Number.isFinite(age) && Object.keys(keep).length === 1 ? age : undefined;
}

/** A moment in 2001, in Unix milliseconds. No job is older. */
const firstMoment = 1e12;

/** Returns when a job was enqueued, and when it could run: at its own time, at its schedule's, or at its enqueue. Replaces invalid times by now. */
export function timesOf(
  job: Job<StoredData>,
  runAtMs: number | undefined,
): { readonly enqueuedAt: Date; readonly runAt: Date } {
  const { data, timestamp, processedOn } = job;
  // BullMQ parses any text that begins with a digit as a number.
  const enqueuedAtMs = timeOf(timestamp > firstMoment ? timestamp : undefined, processedOn);
  return {
    enqueuedAt: new Date(enqueuedAtMs),
    runAt: new Date(timeOf(runAtMs, data?.runAtMs, scheduledAtOf(job), enqueuedAtMs)),
  };
}

/**
 * Makes the text of the headers that a retry or a snooze stores in the job's hash, with the attempt that they are for. BullMQ
 * keeps the field until the next of these writes it, also if the attempt stalls.
 */
export function carrierText(
  carrier: Readonly<Record<string, string>> | undefined,
  attempt: number,
): string | undefined {
  return carrier && `${attempt} ${JSON.stringify(carrier)}`;
}

/** Reads the headers that are for an attempt. Returns undefined if there are none. */
export function carrierOf(text: string | undefined, attempt: number): Record<string, string> | undefined {
  const prefix = `${attempt} `;
  return text?.startsWith(prefix) ? carrierFrom(text.slice(prefix.length)) : undefined;
}
