import type { JobAttemptError } from "@nidus/jobs-durable";
import {
  attemptErrorsFrom,
  carrierFrom,
  envelopeFrom,
  errorsAfter,
  type JobOutcome,
  type LeasedJob,
} from "@nidus/jobs-durable/backend";
import type { Row } from "../database/run-sql.ts";
import { maxInteger, type StorageSettings } from "../store/dialect.ts";
import { attemptErrors, retainMember } from "../store/lease-statements.ts";
import { jobName, queueName } from "../store/queue-name.ts";

/** A job that is leased from pg-boss's table. */
export interface PgBossLeasedJob extends LeasedJob {
  /** The name of the lease: statements write to the job only while it has this lease. */
  readonly lease: string;
  /** pg-boss's count of attempts, from 0. */
  readonly retryCount: number;
  /** Whether the job is removed when it succeeds or is cancelled. */
  readonly isRemovedAtEnd: boolean;
  /** The errors of its attempts, the newest first. */
  readonly errors: readonly JobAttemptError[];
}

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

/** Makes a leased job of a row that the fetching statement returned. */
export function leasedJobFrom(row: Row, lease: string): PgBossLeasedJob {
  const {
    isCancelRequested,
    [retainMember]: retainMs,
    [attemptErrors]: errors,
  } = (row.data ?? {}) as Record<string, unknown>;
  const { isStalled, carrier } = row.output;
  const enqueuedAt = dateFrom(row.created_at_s);
  return {
    id: row.id,
    name: jobName(row.name),
    envelope: envelopeFrom(row.data),
    // Another program may have stored any number.
    attempt: Math.max(row.retry_count, 0) + 1,
    maxAttempts: Math.max(row.retry_limit, 1),
    enqueuedAt: enqueuedAt ?? new Date(0),
    runAt: dateFrom(row.start_at_s) ?? enqueuedAt ?? new Date(0),
    isCancelRequested: isCancelRequested === true,
    followsStalled: isStalled === true,
    previousCarrier: carrierFrom(carrier),
    ...(enqueuedAt === undefined && {
      unreadable: `it cannot be read: its created_on is ${row.created_at_s} s after 1970, and no date from 1970 to 9999`,
    }),
    lease,
    retryCount: row.retry_count,
    isRemovedAtEnd: retainMs === 0,
    errors: attemptErrorsFrom(errors),
  };
}

/** The first second of the year 10000. PostgreSQL has later dates, and infinite ones. */
const endSeconds = 253_402_300_800;

/** Makes a date of Unix seconds, in whole milliseconds as the statement `settle` compares it. Undefined if JavaScript has no such date. */
function dateFrom(seconds: number): Date | undefined {
  return seconds >= 0 && seconds < endSeconds
    ? new Date(Math.floor(Math.round(seconds * 1e6) / 1e3))
    : undefined;
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
