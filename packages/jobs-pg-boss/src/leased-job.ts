import { envelopeFrom, type LeasedJob } from "@nidus/jobs-durable/backend";
import type { Row } from "./database.ts";
import { jobName } from "./queue-name.ts";

/** A job that is leased from pg-boss's table. */
export interface PgBossLeasedJob extends LeasedJob {
  /** Fences what is written about it. */
  readonly lease: string;
  /** How pg-boss counts attempts: from 0. */
  readonly retryCount: number;
}

/** Reads a job that was leased, whoever has stored it. */
export function leasedFrom(row: Row, lease: string): PgBossLeasedJob {
  const { isCancelRequested } = (row.data ?? {}) as { isCancelRequested?: unknown };
  return {
    id: row.id,
    name: jobName(row.name),
    envelope: envelopeFrom(row.data),
    // Other programs may have stored any number.
    attempt: Math.max(row.retry_count, 0) + 1,
    maxAttempts: Math.max(row.retry_limit, 1),
    enqueuedAt: row.enqueued_at ?? new Date(0),
    runAt: row.run_at ?? new Date(0),
    isCancelRequested: isCancelRequested === true,
    followsStalled: row.follows_stalled === true,
    ...(row.enqueued_at === null && {
      unreadable: `it cannot be read: its created_on is ${row.created_on}, and no date from 1970 to 9999`,
    }),
    lease,
    retryCount: row.retry_count,
  };
}
