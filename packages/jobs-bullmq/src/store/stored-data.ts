import type { JobEnvelope, NewJob } from "@nidus/jobs-durable/backend";
import type { Job, JobsOptions } from "bullmq";
import { countOf, scheduledAtOf, timeOf } from "../bullmq-internals/index.ts";

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

/** Returns the JSON text of a job's data: its envelope as it is, with what the engine reads beside it. */
export function dataTextOf(
  { envelope, runAt }: Pick<NewJob, "envelope" | "runAt">,
  nonce: string | undefined,
): string {
  const own = JSON.stringify({ runAtMs: runAt?.getTime(), nonce });
  if (own === "{}") return envelope;
  return envelope === "{}" ? own : `${envelope.slice(0, -1)},${own.slice(1)}`;
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
