import { envelopeFrom } from "../backend/envelope.ts";
import type { StoredJob, StoredJobState } from "../backend/stored-job.ts";
import type { MemoryJob } from "./memory-job.ts";

/** Describes a job of the table, in copies. */
export function storedJobFrom(job: MemoryJob, withPayload: boolean, nowMs: number = Date.now()): StoredJob {
  const { id, name, attempt, maxAttempts, priority, enqueuedAtMs, runAtMs, startedAtMs, endedAtMs } = job;
  const { payload, correlationId, attributes = {} } = envelopeFrom(job.envelopeText);
  const hasEnded = job.state !== "pending" && job.state !== "running";
  return {
    id,
    jobName: name,
    state: storedStateOf(job, nowMs),
    attempt: Math.min(attempt, maxAttempts),
    maxAttempts,
    enqueuedAt: new Date(enqueuedAtMs),
    runAt: new Date(runAtMs),
    startedAt: attempt === 0 || startedAtMs === undefined ? undefined : new Date(startedAtMs),
    finishedAt: hasEnded ? new Date(endedAtMs) : undefined,
    priority,
    correlationId,
    attributes,
    progress: structuredClone(job.progress),
    errors: structuredClone(job.errors),
    ...(withPayload && { payload }),
  };
}

/** A pending job is scheduled until its moment, and waits from then on. */
export function storedStateOf({ state, runAtMs }: MemoryJob, nowMs: number): StoredJobState {
  if (state !== "pending") return state;
  return runAtMs > nowMs ? "scheduled" : "waiting";
}
