import { errorsAfter, type JobOutcome } from "@nidus/jobs-durable/backend";
import { maxInteger, type StorageSettings } from "../store/dialect.ts";
import { queueName } from "../store/queue-name.ts";
import type { PgBossLeasedJob } from "./leased-job.ts";

/** An outcome in the columns that the statement `settle` takes. */
export interface OutcomeRow {
  readonly queue: string;
  readonly id: string;
  readonly lease: string;
  readonly retry_count: number;
  readonly enqueued_at: Date;
  readonly state: string;
  readonly delay_ms?: number;
  readonly is_released?: boolean;
  /** Whether the delivery gives its attempt back. */
  readonly is_unspent?: boolean;
  readonly output: object;
  /** The errors of all attempts, if this one has failed. */
  readonly errors?: readonly object[] | undefined;
  readonly deletion_seconds?: number;
}

/** PostgreSQL has no dates beyond some 290,000 years. */
const maxDelayMs = 1000 * 365 * 24 * 60 * 60 * 1000;

/**
 * Builds the row of an outcome. The lease stays in the output, so that a repeated `settle` finds what an earlier one recorded. A result
 * and a progress stand beside it, as `result` and `progress`.
 */
export function outcomeRow(job: PgBossLeasedJob, outcome: JobOutcome, settings: StorageSettings): OutcomeRow {
  const { id, name, lease, retryCount, enqueuedAt } = job;
  const message = "error" in outcome ? { message: outcome.error } : {};
  // A released job keeps the headers of its last retry.
  const carrier =
    outcome.type === "released" ? job.previousCarrier : "carrier" in outcome ? outcome.carrier : undefined;
  const resultText = outcome.type === "succeeded" ? outcome.resultText : undefined;
  const result = resultText === undefined ? {} : { result: JSON.parse(resultText) as unknown };
  return {
    queue: queueName(name),
    id,
    lease,
    retry_count: retryCount,
    enqueued_at: enqueuedAt,
    output: { ...message, ...result, lease, carrier, progress: outcome.progress },
    errors: errorsAfter(job.errors, job, outcome),
    ...columnsOf(outcome, settings),
  };
}

function columnsOf(
  outcome: JobOutcome,
  { retainDeadLettersSeconds }: StorageSettings,
): Pick<OutcomeRow, "state" | "delay_ms" | "is_released" | "is_unspent" | "deletion_seconds"> {
  switch (outcome.type) {
    case "succeeded":
      return { state: "completed" };
    case "retried":
      return { state: "retry", delay_ms: Math.min(outcome.delayMs, maxDelayMs) };
    case "snoozed":
      return { state: "retry", delay_ms: outcome.delayMs, is_unspent: true };
    case "dead-lettered":
      return { state: "failed", deletion_seconds: Math.min(retainDeadLettersSeconds, maxInteger) };
    case "cancelled":
      return { state: "cancelled" };
    case "released":
      return { state: "retry", is_released: true, is_unspent: true };
  }
}
