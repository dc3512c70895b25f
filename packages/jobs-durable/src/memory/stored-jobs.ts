import { envelopeFrom } from "../backend/envelope.ts";
import type { StoredJob, StoredJobState } from "../backend/stored-job.ts";
import type { MemoryJob } from "./memory-job.ts";

/** Describes a job of the table. Its payload is a copy. */
export function storedJobFrom(job: MemoryJob, withPayload: boolean): StoredJob {
  const { id, name, attempt, maxAttempts, priority, enqueuedAt, runAtMs, startedAtMs, endedAtMs } = job;
  const { payload, correlationId, attributes = {} } = envelopeFrom(job.envelopeText);
  const hasEnded = job.state !== "pending" && job.state !== "running";
  return {
    id,
    jobName: name,
    state: stateOf(job, Date.now()),
    attempt: Math.min(attempt, maxAttempts),
    maxAttempts,
    enqueuedAt: new Date(enqueuedAt),
    runAt: new Date(runAtMs),
    startedAt: attempt === 0 || startedAtMs === undefined ? undefined : new Date(startedAtMs),
    finishedAt: hasEnded ? new Date(endedAtMs) : undefined,
    priority,
    correlationId,
    attributes,
    errors: [],
    ...(withPayload && { payload }),
  };
}

function stateOf({ state, runAtMs }: MemoryJob, nowMs: number): StoredJobState {
  if (state !== "pending") return state;
  return runAtMs > nowMs ? "scheduled" : "waiting";
}
