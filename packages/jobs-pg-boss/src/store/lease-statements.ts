import type { Dialect } from "./dialect.ts";
import { notifications } from "./notifications.ts";

/**
 * Statements about jobs that a worker holds. Each fetch names a new lease and stores it in the job's output. The lease fences later
 * writes, and finds the jobs of a fetch, or the outcome, whose answer was lost.
 */
export interface LeaseStatements {
  /**
   * $1 queues, `count` of them. Returns the `name` of each queue that has due jobs (`is_due`), or else jobs that come due: the first one
   * `due_in_ms`. The first versions of pg-boss 12 have no index for these: it then returns none.
   */
  dueQueues(count: number): string;
  /**
   * $1 queue, $2 limit, $3 lease. Leases due jobs, and returns them in any order. Their times are Unix seconds with microseconds, which
   * tell jobs of one batch apart. Other programs may have stored infinite ones.
   */
  readonly fetch: string;
  /** $1 queue, $2 limit, $3 lease, $4 earlier leases. Leases the jobs of these earlier leases again. */
  readonly fetchAgain: string;
  /**
   * $1 queue, $2 JSON of outcomes, $3 their job ids, for the index. Returns `id` and `lease` of each recorded outcome, and whether a
   * cancellation was recorded in its place (`is_cancelled`).
   */
  readonly settle: string;
  /** Takes what `settle` does, and removes the jobs instead. Returns `id` and `lease` of each. */
  readonly remove: string;
  /** $1 queue, $2 ids. Removes those jobs that are cancelled. */
  readonly removeCancelled: string;
  /** $1 queue, $2 ids. Returns the `id` of each job that is there. */
  readonly present: string;
  /** Takes outcomes that `settle` did not record. Returns those that an earlier try recorded, and those that are still open. */
  readonly recorded: string;
  /** $1 queue, $2 id, $3 lease, $4 JSON. Stores a progress in the output, as `progress`, while the lease holds. */
  readonly saveProgress: string;
  /** $1 queues, $2 ids, $3 leases. Renews the leases that still hold. */
  readonly renewLeases: string;
  /** $1 queues, $2 ids, $3 leases. Returns each `id` whose lease still holds, and whether `is_cancel_requested`. */
  readonly cancelRequests: string;
}

/**
 * The key that `cancel` sets to `true` in the data of a running job. pg-boss never changes the data, so the request outlives the
 * worker, and the next worker finds it. No other value counts as a request: another program may have stored the data.
 */
export const cancelRequest = "isCancelRequested";

/**
 * The key under which the data keep the errors of attempts. pg-boss writes an output of its own when it finds a lease expired, and would
 * lose them there.
 */
export const attemptErrors = "nidusErrors";

/** The member of a dead letter's output that keeps its `deletion_seconds` of before, for a redrive. */
export const ownRetention = "deletionSeconds";

/** The member of a job's data that is 0 if the job is removed at its end. pg-boss takes a `deletion_seconds` of 0 for never. */
export const retainMember: string = "retainMs";

/** Selects a date, or null if JavaScript has no such date: PostgreSQL also has `infinity` and years beyond 9999. */
export function dateOrNull(column: string): string {
  return `CASE WHEN ${column} >= 'epoch' AND ${column} < '10000-01-01 00:00:00+00' THEN ${column} END`;
}

/** Selects the time from which a job could start, or null if JavaScript has no such date. */
export const startOrNull: string = `COALESCE(${dateOrNull("start_after")}, ${dateOrNull("created_on")})`;

/** Whether the attempt ended with its lease: pg-boss then writes an output that no handler's error has. */
const isExpired = "j.output #>> '{value,message}' IS NOT NULL";

/** When the attempt started: renewals of the lease move `started_on`. The fetch that made the lease has noted it in Unix seconds. */
const startOfAttempt = "COALESCE(to_timestamp((j.output ->> 'startedAt')::float8), j.started_on)";

/** The largest number of queues for which a plan of their partitions alone costs less than a plan of all. */
const maxPlannedQueues = 20;

/**
 * Returns the condition that a job `j` is in `queue`, one of the `count` queues in $1. With few queues, it names them all, so that
 * PostgreSQL plans with their partitions alone, at the price of a search among the names.
 */
export function isInQueue(queue: string, count: number): string {
  return `j.name = ${queue}${count <= maxPlannedQueues ? " AND j.name = ANY($1::text[])" : ""}`;
}

const settlements = `
  jsonb_to_recordset($2::text::jsonb) AS s(id uuid, lease text, retry_count int, enqueued_at timestamptz,
    state text, delay_ms float8, is_released boolean, is_unspent boolean, output jsonb, errors jsonb, deletion_seconds int)`;

/** Builds the statements of a worker whose leases hold for `leaseSeconds`. `schema` stands unquoted in them, as in pg-boss's own. */
export function leaseStatements(schema: string, dialect: Dialect, leaseSeconds: number): LeaseStatements {
  const { notifyJob, notifyEnd, isEndAwaited } = notifications(schema);
  const { hasRetention, isReady } = dialect;
  const renewal = dialect.renewal(leaseSeconds);
  const job = `${schema}.job`;
  const isDue = `j.state < 'active' AND j.start_after <= now() AND ${isReady}`;
  const isCancelRequested = `j.data -> '${cancelRequest}' = 'true'`;
  // A released job keeps its request. For a job that succeeded, the data are not even read.
  const isCancelledInstead = `(s.state IN ('retry', 'failed') AND s.is_released IS NOT TRUE AND ${isCancelRequested} IS TRUE)`;
  const keptRetention = hasRetention
    ? ` || CASE WHEN s.state = 'failed' THEN jsonb_build_object('${ownRetention}', j.deletion_seconds) ELSE '{}' END`
    : "";
  const retention = hasRetention
    ? `deletion_seconds = CASE WHEN ${isCancelledInstead} THEN j.deletion_seconds
        ELSE COALESCE(s.deletion_seconds, j.deletion_seconds) END,`
    : "";
  // Planning is half of what it costs to fetch one job: so the jobs that were found are no table to join, and those that were updated are
  // not sorted.
  const lease = (which: string, retryCount: string, output: string): string => `
    WITH found AS (
      SELECT id FROM ${job} j WHERE name = $1 AND ${which}
      ORDER BY priority DESC, created_on LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE ${job} j SET state = 'active', ${renewal}, retry_count = ${retryCount}, output = ${output}
    WHERE name = $1 AND id = ANY(ARRAY(SELECT id FROM found))
    RETURNING id, name, data, output, priority, retry_count, retry_limit,
      extract(epoch FROM created_on)::float8 AS created_at_s, extract(epoch FROM start_after)::float8 AS start_at_s`;
  // A success counts even if the lease has ended, unless another worker has the job by now: the job must not run again.
  const isSettleable = `(j.state = 'active' AND j.output ->> 'lease' = s.lease
    OR s.state = 'completed' AND j.state IN ('retry', 'failed') AND ${isExpired}
      AND j.retry_count = s.retry_count AND date_trunc('milliseconds', j.created_on) = s.enqueued_at)`;
  // The statement asks once whether ends are awaited, and only if a job has ended.
  const notified = `CASE
        WHEN s.state = 'retry' AND NOT ${isCancelledInstead}
          THEN CASE WHEN COALESCE(s.delay_ms, 0) <= 0 THEN ${notifyJob("j.name")} END
        WHEN (SELECT ${isEndAwaited("$1::text")}) THEN ${notifyEnd("j.id", "j.name")} END AS notified`;
  const held = (columns: string): string => `
    SELECT ${columns} FROM ${job} j JOIN unnest($2::uuid[], $3::text[]) AS held(id, lease) ON held.id = j.id
    WHERE j.name = ANY($1::text[]) AND j.state = 'active' AND j.output ->> 'lease' = held.lease`;
  return {
    dueQueues: (count) => {
      const isOf = isInQueue("queue.name", count);
      return `
      SELECT name, is_due, (extract(epoch FROM start) - extract(epoch FROM now()))::float8 * 1000 AS due_in_ms FROM (
        SELECT name, start, COALESCE(start <= now(), EXISTS (SELECT FROM ${job} j WHERE ${isOf} AND ${isDue})) AS is_due
        FROM (SELECT name, ${dialect.firstStart(schema, isOf)} AS start FROM unnest($1::text[]) AS queue(name) OFFSET 0) AS queue
      ) AS queue WHERE is_due OR start IS NOT NULL`;
    },
    fetch: lease(
      isDue,
      "CASE WHEN j.started_on IS NULL THEN j.retry_count ELSE LEAST(j.retry_count, 2147483646) + 1 END",
      `jsonb_build_object('lease', $3::text, 'after', j.output ->> 'lease', 'isStalled', ${isExpired},
        'carrier', j.output -> 'carrier', 'progress', j.output -> 'progress', 'startedAt', extract(epoch FROM now()))`,
    ),
    fetchAgain: lease(
      `j.state = 'active' AND j.output ->> 'lease' = ANY($4::text[])`,
      "j.retry_count",
      `j.output || jsonb_build_object('lease', $3::text)`,
    ),
    // A fetch counts an attempt if the job was started before, so a released or snoozed job gives its attempt back.
    settle: `
      UPDATE ${job} j SET
        state = (CASE WHEN ${isCancelledInstead} THEN 'cancelled' ELSE s.state END)::${schema}.job_state,
        completed_on = CASE WHEN s.state <> 'retry' OR ${isCancelledInstead} THEN now() END,
        start_after = CASE WHEN s.delay_ms IS NULL THEN j.start_after ELSE now() + s.delay_ms * interval '1 millisecond' END,
        started_on = CASE WHEN s.is_unspent AND j.retry_count = 0 THEN NULL ELSE ${startOfAttempt} END,
        retry_count = CASE WHEN s.is_unspent THEN GREATEST(j.retry_count - 1, 0) ELSE j.retry_count END,
        ${retention}
        data = CASE WHEN s.errors IS NULL OR jsonb_typeof(j.data) <> 'object' THEN j.data
          ELSE j.data || jsonb_build_object('${attemptErrors}', s.errors) END,
        output = CASE WHEN s.output ->> 'progress' IS NOT NULL OR j.output ->> 'progress' IS NULL THEN s.output
          ELSE s.output || jsonb_build_object('progress', j.output -> 'progress') END${keptRetention}
      FROM ${settlements}
      WHERE j.name = $1 AND j.id = ANY($3::uuid[]) AND j.id = s.id AND ${isSettleable}
      RETURNING j.id, s.lease, ${isCancelledInstead} AS is_cancelled, ${notified}`,
    remove: `
      DELETE FROM ${job} j USING ${settlements}
      WHERE j.name = $1 AND j.id = ANY($3::uuid[]) AND j.id = s.id AND ${isSettleable}
      RETURNING j.id, s.lease, ${notified}`,
    removeCancelled: `DELETE FROM ${job} WHERE name = $1 AND id = ANY($2::uuid[]) AND state = 'cancelled'`,
    present: `SELECT id FROM ${job} WHERE name = $1 AND id = ANY($2::uuid[])`,
    recorded: `
      SELECT j.id, s.lease, ${isSettleable} AS is_settleable, j.state = 'cancelled' AND s.state <> 'cancelled' AS is_cancelled
      FROM ${job} j, ${settlements}
      WHERE j.name = $1 AND j.id = ANY($3::uuid[]) AND j.id = s.id AND (
        ${isSettleable}
        OR j.output ->> 'lease' = s.lease AND (j.state::text = s.state OR j.state = 'cancelled' AND s.state <> 'completed')
        OR j.output ->> 'after' = s.lease AND s.state = 'retry')`,
    saveProgress: `
      UPDATE ${job} SET output = output || jsonb_build_object('progress', $4::text::jsonb)
      WHERE name = $1 AND id = $2::uuid AND state = 'active' AND output ->> 'lease' = $3`,
    // It skips locked rows, since a transaction that waits for a row while it holds others can deadlock. It joins by ctid: until
    // PostgreSQL has analysed a new table, a join by id would use an index on the name alone.
    renewLeases: `
      WITH renewed AS (${held("j.name, j.ctid")} ORDER BY j.id FOR UPDATE OF j SKIP LOCKED)
      UPDATE ${job} j SET ${renewal} FROM renewed
      WHERE j.name = ANY($1::text[]) AND j.name = renewed.name AND j.ctid = renewed.ctid`,
    cancelRequests: held(`j.id, ${isCancelRequested} AS is_cancel_requested`),
  };
}
