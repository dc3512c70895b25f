import type { Dialect } from "./dialect.ts";

/**
 * Statements about jobs that a worker holds. The lease is a text beside the output, made anew for each fetch: it fences what is
 * written about a job, and tells the fetch, or the outcome, of which the answer was lost.
 */
export interface LeaseStatements {
  /** $1 queues. Returns the `name` of each that has a job that is due. */
  readonly dueQueues: string;
  /** $1 queue, $2 limit, $3 lease. Leases jobs that are due. */
  readonly fetch: string;
  /** $1 queues, $2 limit, $3 lease, $4 earlier leases. Leases again what was leased by these. */
  readonly fetchAgain: string;
  /**
   * $1 queue, $2 JSON of settlements, $3 their ids, by which they are looked up. Returns `id` and `lease` of each that was
   * recorded, and whether `is_cancelled` is what was recorded instead of a retry or a dead letter.
   */
  readonly settle: string;
  /** As `settle`, for those that were not recorded: returns those that an earlier try has recorded, or that `is_open` still. */
  readonly recorded: string;
  /** $1 queues, $2 ids, $3 leases. Renews those that still hold. */
  readonly renewLeases: string;
  /** As `renewLeases`, and renews none: returns each `id` and whether `is_cancel_requested`. */
  readonly cancelRequests: string;
}

/**
 * Beside the payload of a running job whose worker is to end it: pg-boss leaves the data alone, so the request outlives that
 * worker, and the next one finds it. Only `true` is one: the data may be another program's.
 */
export const cancelRequest = "isCancelRequested";

/** A date that JavaScript has, or null: PostgreSQL also has `infinity`, and years that are longer. */
export function readable(column: string): string {
  return `CASE WHEN ${column} BETWEEN 'epoch' AND '9999-12-31' THEN ${column} END`;
}

/** From when a job could start, if that can be read. */
export const readableStart: string = `COALESCE(${readable("start_after")}, ${readable("created_on")})`;

/** What pg-boss writes, and no handler's error: the attempt ended with its lease. */
const isExpired = "j.output #>> '{value,message}' IS NOT NULL";

const settlements = `
  jsonb_to_recordset($2::text::jsonb) AS s(id uuid, lease text, retry_count int, enqueued_at timestamptz,
    state text, delay_ms float8, is_unspent boolean, output jsonb, deletion_seconds int)`;

/** Builds the statements for a schema, which is as unquoted as pg-boss has it. */
export function leaseStatements(schema: string, dialect: Dialect): LeaseStatements {
  const { hasRetention, isReady, renewal } = dialect;
  const job = `${schema}.job`;
  const isDue = `j.state < 'active' AND j.start_after <= now() AND ${isReady}`;
  const isCancelRequested = `j.data -> '${cancelRequest}' = 'true'`;
  // What is released goes back with its request. Of what succeeded the data are not even read.
  const isCancelledInstead = `(s.state IN ('retry', 'failed') AND s.is_unspent IS NOT TRUE AND ${isCancelRequested} IS TRUE)`;
  const retention = hasRetention
    ? `deletion_seconds = CASE WHEN ${isCancelledInstead} THEN j.deletion_seconds
        ELSE COALESCE(s.deletion_seconds, j.deletion_seconds) END,`
    : "";
  // Names are given where tables are: PostgreSQL then plans with the partitions of these alone.
  const lease = (names: string, which: string, retryCount: string, output: string): string => `
    WITH found AS (
      SELECT j.name, j.id FROM ${job} j WHERE j.name ${names} AND ${which}
      ORDER BY j.priority DESC, j.created_on LIMIT $2 FOR UPDATE SKIP LOCKED
    ), leased AS (
      UPDATE ${job} j SET state = 'active', ${renewal}, retry_count = ${retryCount}, output = ${output}
      FROM found WHERE j.name ${names} AND j.name = found.name AND j.id = found.id
      RETURNING j.*
    )
    SELECT id, name, data, retry_count, retry_limit, ${readable("created_on")} AS enqueued_at, ${readableStart} AS run_at,
      created_on::text AS created_on, output -> 'isStalled' = 'true' AS follows_stalled
    FROM leased ORDER BY priority DESC, leased.created_on`;
  // A success also counts if the lease has ended, as long as the job was not given to another worker: it must not run again.
  const isOpen = `(j.state = 'active' AND j.output ->> 'lease' = s.lease
    OR s.state = 'completed' AND j.state IN ('retry', 'failed') AND ${isExpired}
      AND j.retry_count = s.retry_count AND date_trunc('milliseconds', j.created_on) = s.enqueued_at)`;
  const held = (columns: string): string => `
    SELECT ${columns} FROM ${job} j JOIN unnest($2::uuid[], $3::text[]) AS held(id, lease) ON held.id = j.id
    WHERE j.name = ANY($1::text[]) AND j.state = 'active' AND j.output ->> 'lease' = held.lease`;
  return {
    dueQueues: `
      SELECT queue.name FROM unnest($1::text[]) AS queue(name)
      WHERE EXISTS (SELECT FROM ${job} j WHERE j.name = queue.name AND ${isDue})`,
    fetch: lease(
      "= $1",
      isDue,
      "CASE WHEN j.started_on IS NULL THEN j.retry_count ELSE LEAST(j.retry_count, 2147483646) + 1 END",
      `jsonb_build_object('lease', $3::text, 'after', j.output ->> 'lease', 'isStalled', ${isExpired})`,
    ),
    fetchAgain: lease(
      "= ANY($1::text[])",
      `j.state = 'active' AND j.output ->> 'lease' = ANY($4::text[])`,
      "j.retry_count",
      `j.output || jsonb_build_object('lease', $3::text)`,
    ),
    // A job that goes back unspent gives its attempt back too, which is counted when what was started before is fetched.
    settle: `
      UPDATE ${job} j SET
        state = (CASE WHEN ${isCancelledInstead} THEN 'cancelled' ELSE s.state END)::${schema}.job_state,
        completed_on = CASE WHEN s.state <> 'retry' OR ${isCancelledInstead} THEN now() END,
        start_after = CASE WHEN s.delay_ms IS NULL THEN j.start_after ELSE now() + s.delay_ms * interval '1 millisecond' END,
        started_on = CASE WHEN s.is_unspent AND j.retry_count = 0 THEN NULL ELSE j.started_on END,
        retry_count = CASE WHEN s.is_unspent THEN GREATEST(j.retry_count - 1, 0) ELSE j.retry_count END,
        ${retention}
        output = s.output
      FROM ${settlements}
      WHERE j.name = $1 AND j.id = ANY($3::uuid[]) AND j.id = s.id AND ${isOpen}
      RETURNING j.id, s.lease, ${isCancelledInstead} AS is_cancelled`,
    recorded: `
      SELECT j.id, s.lease, ${isOpen} AS is_open, j.state = 'cancelled' AND s.state <> 'cancelled' AS is_cancelled
      FROM ${job} j, ${settlements}
      WHERE j.name = $1 AND j.id = ANY($3::uuid[]) AND j.id = s.id AND (
        ${isOpen}
        OR j.output ->> 'lease' = s.lease AND (j.state::text = s.state OR j.state = 'cancelled' AND s.state <> 'completed')
        OR j.output ->> 'after' = s.lease AND s.state = 'retry')`,
    // It never waits for a row: a transaction that waits while it has others is half of a deadlock. By their ids, the locked rows
    // would be looked up in an index of the name alone, as long as PostgreSQL has not analysed a new table.
    renewLeases: `
      WITH renewed AS (${held("j.name, j.ctid")} ORDER BY j.id FOR UPDATE OF j SKIP LOCKED)
      UPDATE ${job} j SET ${renewal} FROM renewed
      WHERE j.name = ANY($1::text[]) AND j.name = renewed.name AND j.ctid = renewed.ctid`,
    cancelRequests: held(`j.id, ${isCancelRequested} AS is_cancel_requested`),
  };
}
