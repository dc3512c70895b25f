import type { StoredJob, StoredJobState } from "@nidus/jobs-durable";
import { attemptErrorsFrom, envelopeFrom, storedProgressFrom } from "@nidus/jobs-durable/backend";
import type { Row } from "../database/run-sql.ts";
import { attemptErrors } from "./lease-statements.ts";
import { jobName } from "./queue-name.ts";

const states: Readonly<Record<string, StoredJobState>> = {
  active: "running",
  completed: "succeeded",
  failed: "dead-lettered",
  cancelled: "cancelled",
};

/** Makes a stored job of a row with the columns of `storedJobColumns`. */
export function storedJobFrom(row: Row, withPayload: boolean): StoredJob {
  const state = states[row.state] ?? (row.is_scheduled === true ? "scheduled" : "waiting");
  const hasEnded = row.state !== "active" && states[row.state] !== undefined;
  const { payload, correlationId, attributes = {} } = envelopeFrom(row.data);
  const maxAttempts = Math.max(row.retry_limit, 1);
  return {
    id: row.id,
    jobName: jobName(row.name),
    state,
    // If the worker of the last attempt died, one more delivery made the job a dead letter.
    attempt: row.has_started ? Math.max(Math.min(row.retry_count + 1, maxAttempts), 1) : 0,
    maxAttempts,
    enqueuedAt: row.enqueued_at ?? new Date(0),
    runAt: row.run_at ?? new Date(0),
    startedAt: startedAt(row),
    finishedAt: hasEnded ? (row.finished_at ?? undefined) : undefined,
    // Other programs have any priority.
    priority: Math.min(Math.max(0 - row.priority, 0), 9),
    correlationId,
    attributes,
    progress: storedProgressFrom(row.progress),
    errors: attemptErrorsFrom((row.data as Record<string, unknown> | null)?.[attemptErrors]),
    ...(withPayload && { payload }),
  };
}

/** Renewals of a lease move `started_on`, so the fetch has noted the start of an attempt that runs. */
function startedAt({ state, started_at, attempt_started }: Row): Date | undefined {
  if (state === "active" && typeof attempt_started === "number") return new Date(attempt_started * 1000);
  return started_at ?? undefined;
}
