import type { JobAttemptError } from "@nidus/jobs-durable";
import { attemptErrorsFrom, carrierFrom, envelopeFrom, type LeasedJob } from "@nidus/jobs-durable/backend";
import type { Row } from "../database/run-sql.ts";
import { attemptErrors, retainMember } from "../store/lease-statements.ts";
import { jobName } from "../store/queue-name.ts";

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
