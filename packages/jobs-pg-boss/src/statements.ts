import type { Dialect } from "./dialect.ts";

/**
 * What pg-boss has no call for: a time for the next attempt in milliseconds, handing a job back without spending an attempt,
 * cancelling by id alone, counts by name. They touch columns that pg-boss 10 and 12 have in common.
 */
export interface Statements {
  /** $1 queue. */
  readonly hasQueue: string;
  /** $1 queues. Which of them have a job that is due. */
  readonly dueQueues: string;
  /**
   * $1 queue, $2 JSON of settlements, $3 their ids, by which they are looked up. Each id that was recorded, and whether as
   * cancelled, instead of retried or dead-lettered.
   */
  readonly settle: string;
  /** $1 queues, $2 ids. Each of them that is still leased, and whether it is to be cancelled. */
  readonly renewLeases: string;
  /** $1 queues, $2 ids. The same, and no lease is renewed. */
  readonly cancelRequests: string;
  /** $1 id. */
  readonly cancel: string;
  /** No parameters. */
  readonly counts: string;
  /** No parameters. */
  readonly backlog: string;
  /** $1 limit. */
  readonly deadLetters: string;
  /** $1 id. */
  readonly redrive: string;
  /** $1 queue, $2 key. */
  readonly hasSchedule: string;
}

/**
 * Beside the payload of a running job whose worker is to end it: pg-boss leaves the data alone, so the request outlives that
 * worker, and whoever is given the job next finds it. Only `true` is one: the data may be another program's.
 */
const cancelRequest = "isCancelRequested";

/** Where another program's data is no object, it is put into one, beside the request, and taken out by whoever removes that. */
const dataBeforeRequest = "dataBeforeCancelRequest";

/**
 * The event of pg-boss's that the engine's own queues are subscribed to, and nobody publishes: it tells them from those of other
 * programs, to every process, and goes with its queue.
 */
export const ownQueuesEvent = "nidus";

/** The statements for a schema, quoted as pg-boss quotes it: not at all. */
export function statementsFor(schema: string, { hasRetention, hasScheduleKeys }: Dialect): Statements {
  const job = `${schema}.job`;
  const isCancelRequested = `data -> '${cancelRequest}' = 'true'`;
  // What is handed back goes back with its request. Of what succeeded the data are not even read.
  const isCancelledInstead = `(s.state IN ('retry', 'failed') AND s.is_unspent IS NOT TRUE AND j.${isCancelRequested} IS TRUE)`;
  const retention = hasRetention
    ? `deletion_seconds = CASE WHEN ${isCancelledInstead} THEN j.deletion_seconds
        ELSE COALESCE(s.deletion_seconds, j.deletion_seconds) END,`
    : "";
  const ownQueues = `ARRAY(SELECT name FROM ${schema}.subscription WHERE event = '${ownQueuesEvent}')`;
  return {
    hasQueue: `SELECT 1 FROM ${schema}.queue WHERE name = $1`,
    dueQueues: `
      SELECT queue.name FROM unnest($1::text[]) AS queue(name)
      WHERE EXISTS (
        SELECT 1 FROM ${job} j WHERE j.name = queue.name AND j.state < 'active' AND j.start_after < now()
      )`,
    // Fenced by the attempt: what has been delivered to somebody else meanwhile is left alone. A job that goes back unspent
    // gives its attempt back too, which pg-boss counts when it fetches what was started before.
    settle: `
      UPDATE ${job} j SET
        state = (CASE WHEN ${isCancelledInstead} THEN 'cancelled' ELSE s.state END)::${schema}.job_state,
        completed_on = CASE WHEN s.state <> 'retry' OR ${isCancelledInstead} THEN now() END,
        start_after = COALESCE(now() + s.delay_ms * interval '1 millisecond', j.start_after),
        started_on = CASE WHEN s.is_unspent AND j.retry_count = 0 THEN NULL ELSE j.started_on END,
        retry_count = CASE WHEN s.is_unspent THEN GREATEST(j.retry_count - 1, 0) ELSE j.retry_count END,
        ${retention}
        output = s.output
      FROM jsonb_to_recordset($2::text::jsonb)
        AS s(id uuid, retry_count int, state text, delay_ms int, is_unspent boolean, output jsonb,
          deletion_seconds int)
      WHERE j.name = $1 AND j.id = ANY($3::uuid[]) AND j.id = s.id AND j.state = 'active' AND j.retry_count = s.retry_count
      RETURNING j.id, ${isCancelledInstead} AS is_cancelled_instead`,
    renewLeases: `
      UPDATE ${job} SET started_on = now()
      WHERE name = ANY($1::text[]) AND id = ANY($2::uuid[]) AND state = 'active'
      RETURNING id, ${isCancelRequested} AS is_cancel_requested`,
    cancelRequests: `
      SELECT id, ${isCancelRequested} AS is_cancel_requested FROM ${job}
      WHERE name = ANY($1::text[]) AND id = ANY($2::uuid[]) AND state = 'active'`,
    cancel: `
      UPDATE ${job} SET
        data = CASE WHEN state = 'active'
          THEN CASE WHEN jsonb_typeof(data) = 'object' THEN data ELSE jsonb_build_object('${dataBeforeRequest}', data) END
            || '{"${cancelRequest}": true}'
          ELSE data END,
        completed_on = CASE WHEN state = 'active' THEN completed_on ELSE now() END,
        state = CASE WHEN state = 'active' THEN state ELSE 'cancelled' END
      WHERE name = ANY(${ownQueues}) AND id = $1::uuid AND state <= 'active'
      RETURNING id`,
    counts: `
      SELECT name, state::text, state < 'active' AND start_after > now() AS is_scheduled,
        count(*)::int AS count, min(start_after) AS oldest
      FROM ${job} GROUP BY 1, 2, 3`,
    backlog: `
      SELECT queue.name, count(j.id)::int AS count, min(j.start_after) AS oldest
      FROM ${schema}.queue queue
      LEFT JOIN ${job} j ON j.name = queue.name AND j.state < 'active' AND j.start_after <= now()
      GROUP BY queue.name`,
    deadLetters: `
      SELECT id, name, data, retry_count, retry_limit, output, completed_on FROM ${job}
      WHERE name = ANY(${ownQueues}) AND state = 'failed' ORDER BY completed_on DESC LIMIT $1`,
    redrive: `
      UPDATE ${job} SET state = 'created', retry_count = 0, started_on = NULL, completed_on = NULL, output = NULL,
        start_after = now(), data = CASE WHEN ${isCancelRequested}
          THEN COALESCE(data -> '${dataBeforeRequest}', data - '${cancelRequest}') ELSE data END
      WHERE name = ANY(${ownQueues}) AND id = $1::uuid AND state = 'failed'
      RETURNING id`,
    hasSchedule: hasScheduleKeys
      ? `SELECT 1 FROM ${schema}.schedule WHERE name = $1 AND key = $2`
      : `SELECT 1 FROM ${schema}.schedule WHERE name = $1 AND $2::text IS NOT NULL`,
  };
}
