import type { JobDelivery } from "@nidus/jobs-observe";
import type { Job } from "bullmq";
import { readEnds } from "../bullmq-internals/index.ts";

/** The shortest wait of a first attempt for which the wrapper reads its children. Reading costs a round trip. */
const askAfterMs = 100;

/** The most children of a parent that the wrapper reads. */
const maxChildren = 1_000;

/** Describes the attempt for which BullMQ calls the processor. A stalled attempt is not counted, as in BullMQ's own rules. */
export async function deliveryOf(job: Job): Promise<JobDelivery> {
  return describe(job, await runAtMs(job));
}

/** Describes the last attempt of a job that BullMQ failed without its processor. */
export function givenUpDeliveryOf(job: Job): JobDelivery {
  return { ...describe(job, job.processedOn ?? Date.now()), attempt: Math.max(1, job.attemptsMade) };
}

function describe(job: Job, startsAtMs: number): JobDelivery {
  const { attemptsMade, timestamp, opts } = job;
  return {
    engine: "bullmq",
    queue: job.queueName,
    jobId: job.id ?? "",
    attempt: attemptsMade + 1,
    // BullMQ has 0 if the job says nothing, and means 1.
    maxAttempts: opts.attempts || 1,
    enqueuedAt: new Date(timestamp),
    runAt: new Date(startsAtMs),
    correlationId: undefined,
    carrier: carrierFrom(opts.telemetry?.metadata),
  };
}

/** Returns when the attempt could start. BullMQ knows that only of first attempts: the others count as not having waited. */
async function runAtMs(job: Job): Promise<number> {
  const { attemptsMade, attemptsStarted = 1, timestamp, opts, processedOn = Date.now() } = job;
  if (attemptsMade > 0) return processedOn;
  const childrenEndMs = processedOn - timestamp >= askAfterMs ? await lastChildEndMs(job) : undefined;
  if (childrenEndMs !== undefined) return Math.min(childrenEndMs, processedOn);
  return attemptsStarted > 1 ? processedOn : Math.min(timestamp + (opts.delay ?? 0), processedOn);
}

/** Resolves to when the last child of a flow's parent ended. Undefined for a job without children, or if none of them is kept. */
async function lastChildEndMs(job: Job): Promise<number | undefined> {
  try {
    const count = maxChildren;
    const {
      processed = {},
      ignored = {},
      failed = [],
    } = (await job.getDependencies({
      processed: { count },
      ignored: { count },
      failed: { count },
    })) as { processed?: object; ignored?: object; failed?: string[] };
    const children = [...Object.keys(processed), ...Object.keys(ignored), ...failed];
    if (children.length === 0) return undefined;
    return Math.max(...(await readEnds(job, children))) || undefined;
  } catch {
    // The run matters more than its wait: without an answer, the job counts as a job without children.
    return undefined;
  }
}

/** What `BullMQTelemetry` of Sentry writes to a job: one header, without its name. */
const sentryTrace = /^[0-9a-f]{32}-[0-9a-f]{16}(-[01])?$/;

/** Returns the trace headers that a producer's telemetry wrote to the job: as JSON, or as Sentry does. */
function carrierFrom(metadata = "{}"): Record<string, string> {
  try {
    if (sentryTrace.test(metadata)) return { "sentry-trace": metadata };
    const headers: unknown = JSON.parse(metadata);
    return Object.fromEntries(
      Object.entries(headers as object).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string",
      ),
    );
  } catch {
    return {};
  }
}
