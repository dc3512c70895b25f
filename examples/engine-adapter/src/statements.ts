/** The table and its indexes. A job that waits or runs has no `ended_at`. */
export const createTable: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS jobs (
    id text PRIMARY KEY,
    name text NOT NULL,
    envelope text NOT NULL,
    max_attempts bigint NOT NULL,
    attempt bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'pending',
    enqueued_at timestamptz NOT NULL DEFAULT now(),
    run_at timestamptz NOT NULL,
    retain_ms bigint,
    position bigserial,
    lease uuid,
    leased_until timestamptz,
    follows_stalled boolean NOT NULL DEFAULT false,
    is_cancel_requested boolean NOT NULL DEFAULT false,
    ended_at timestamptz,
    error text,
    carrier text
  )`,
  "CREATE INDEX IF NOT EXISTS jobs_due ON jobs (name, run_at, position) WHERE ended_at IS NULL",
  "CREATE INDEX IF NOT EXISTS jobs_ended ON jobs (state, ended_at) WHERE ended_at IS NOT NULL",
];

/** $1 JSON of jobs. Returns the `id` of each that was stored: an id that is there already stays as it was. */
export const insert = `
  INSERT INTO jobs (id, name, envelope, max_attempts, run_at, retain_ms)
  SELECT id, name, envelope, max_attempts, coalesce(run_at, now()), retain_ms
  FROM ROWS FROM (
    jsonb_to_recordset($1::jsonb)
      AS (id text, name text, envelope text, max_attempts bigint, run_at timestamptz, retain_ms bigint)
  ) WITH ORDINALITY AS job (id, name, envelope, max_attempts, run_at, retain_ms, ordinality)
  ORDER BY ordinality
  ON CONFLICT (id) DO NOTHING
  RETURNING id`;

/**
 * $1 names, $2 limit, $3 lease, $4 lease in milliseconds. Leases what is due, and what a dead worker has left. A job that another
 * transaction is about to lease is skipped and not waited for. The headers of the last retry are not those of a stalled attempt.
 */
export const lease = `
  UPDATE jobs SET state = 'running', attempt = attempt + 1, follows_stalled = (state = 'running'),
    carrier = CASE state WHEN 'pending' THEN carrier END,
    lease = $3::uuid, leased_until = now() + $4::float8 * interval '1 millisecond'
  WHERE id IN (
    SELECT id FROM jobs
    WHERE name = ANY($1::text[]) AND ended_at IS NULL
      AND (state = 'pending' AND run_at <= now() OR state = 'running' AND leased_until < now())
    ORDER BY run_at, position LIMIT $2::int
    FOR UPDATE SKIP LOCKED
  )
  RETURNING *`;

/** $1 ids, $2 leases, $3 lease in milliseconds. Renews the leases that still hold. */
export const renew = `
  UPDATE jobs SET leased_until = now() + $3::float8 * interval '1 millisecond'
  WHERE state = 'running' AND (id, lease) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))`;

/** Whether a row is retained no longer, because its job was enqueued with `retainMs: 0` and has ended. */
const isOver = `retain_ms = 0 AND state IN ('succeeded', 'cancelled')`;

/**
 * $1 id, $2 lease, $3 state, $4 delay in milliseconds, $5 attempts to give back, $6 error, $7 headers. Returns a row if the lease still held. The
 * lease stays in the row: it tells whose outcome was recorded.
 */
export const settle = `
  UPDATE jobs SET state = $3, attempt = attempt - $5::int, error = coalesce($6, error),
    carrier = $7,
    run_at = coalesce(now() + $4::float8 * interval '1 millisecond', run_at),
    ended_at = CASE WHEN $3 <> 'pending' THEN now() END
  WHERE id = $1 AND lease = $2::uuid AND state = 'running'
  RETURNING ${isOver} AS "isOver"`;

/** $1 id, $2 lease, $3 state. Returns a row if an earlier try, whose answer was lost, has recorded this outcome. */
export const isSettled = `
  SELECT ${isOver} AS "isOver" FROM jobs WHERE id = $1 AND lease = $2::uuid AND state = $3`;

/** $1 ids. Returns those that are to be cancelled. */
export const cancelRequests = "SELECT id FROM jobs WHERE id = ANY($1::text[]) AND is_cancel_requested";

/** $1 id. Ends what waits and marks what runs, in whatever process. */
export const cancel = `
  UPDATE jobs SET is_cancel_requested = true,
    ended_at = CASE state WHEN 'pending' THEN now() END,
    state = CASE state WHEN 'pending' THEN 'cancelled' ELSE state END
  WHERE id = $1 AND ended_at IS NULL
  RETURNING ${isOver} AS "isOver"`;

/** $1 id. Of several calls at once, one finds the dead letter. */
export const redrive = `
  UPDATE jobs SET state = 'pending', attempt = 0, run_at = now(), ended_at = NULL, is_cancel_requested = false, carrier = NULL
  WHERE id = $1 AND state = 'deadLettered'
  RETURNING id`;

/** Counts by name. A job whose lease has ended runs until another worker takes it. */
export const counts = `
  SELECT name,
    count(*) FILTER (WHERE state = 'pending' AND run_at > now())::int AS scheduled,
    count(*) FILTER (WHERE state = 'pending' AND run_at <= now())::int AS waiting,
    count(*) FILTER (WHERE state = 'running')::int AS running,
    count(*) FILTER (WHERE state = 'succeeded')::int AS succeeded,
    count(*) FILTER (WHERE state = 'deadLettered')::int AS "deadLettered",
    count(*) FILTER (WHERE state = 'cancelled')::int AS cancelled,
    min(run_at) FILTER (WHERE state = 'pending' AND run_at <= now()) AS "oldestWaitingAt"
  FROM jobs GROUP BY name`;

export const backlog = `
  SELECT name AS "jobName",
    count(*) FILTER (WHERE state = 'pending' AND run_at <= now())::int AS waiting,
    min(run_at) FILTER (WHERE state = 'pending' AND run_at <= now()) AS "oldestWaitingAt",
    count(*) FILTER (WHERE state = 'deadLettered')::int AS "deadLettered",
    min(ended_at) FILTER (WHERE state = 'deadLettered') AS "oldestDeadLetterAt"
  FROM jobs GROUP BY name`;

/** $1 limit. */
export const deadLetters = `
  SELECT * FROM jobs WHERE state = 'deadLettered' ORDER BY ended_at DESC LIMIT $1::int`;

/** $1 milliseconds for what succeeded or was cancelled, $2 for dead letters. */
export const forget = `
  DELETE FROM jobs WHERE ended_at < now() - interval '1 millisecond' *
    CASE state WHEN 'deadLettered' THEN $2::float8 ELSE coalesce(retain_ms, $1::float8) END`;

/** $1 id. Deletes a job that is retained no longer. */
export const remove = `DELETE FROM jobs WHERE id = $1 AND ${isOver}`;
