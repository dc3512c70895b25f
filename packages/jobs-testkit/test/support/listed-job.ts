import type { StoredJob } from "@nidus/jobs-durable";
import type { ListedJob } from "./list-backend.ts";

/** A job of the list as engines show it. */
export function storedJobFrom(job: ListedJob, withPayload: boolean): StoredJob {
  const { id, name, envelope, attempt, maxAttempts, enqueuedAt, runAt, startedAt, endedAtMs } = job;
  const state = stateOf(job);
  const hasEnded = ["succeeded", "dead-lettered", "cancelled"].includes(state);
  return {
    ...{ id, jobName: name, state, maxAttempts, enqueuedAt, runAt, startedAt },
    attempt: Math.min(attempt, maxAttempts),
    finishedAt: hasEnded ? new Date(endedAtMs) : undefined,
    priority: job.priority,
    correlationId: envelope.correlationId,
    attributes: envelope.attributes ?? {},
    errors: [],
    ...(withPayload && { payload: structuredClone(envelope.payload) }),
  };
}

function stateOf({ state, runAt }: ListedJob): StoredJob["state"] {
  if (state === "deadLettered") return "dead-lettered";
  if (state !== "pending") return state;
  return runAt.getTime() > Date.now() ? "scheduled" : "waiting";
}
