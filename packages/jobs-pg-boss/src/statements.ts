import type { Dialect } from "./dialect.ts";
import { cancelRequest, readable, readableStart } from "./lease-statements.ts";
import { ownQueuesEvent } from "./queue-statements.ts";

/** Statements about jobs that no worker holds: pg-boss has none by id alone, nor counts by name. */
export interface Statements {
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

/** If another program's data is no object, it is put into one, beside the request to cancel, and taken out with it. */
const dataBeforeRequest = "dataBeforeCancelRequest";

/** Builds the statements for a schema, which is as unquoted as pg-boss has it. */
export function statementsFor(schema: string, { hasScheduleKeys }: Dialect): Statements {
  const job = `${schema}.job`;
  const ownQueues = `ARRAY(SELECT name FROM ${schema}.subscription WHERE event = '${ownQueuesEvent}')`;
  return {
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
        count(*)::int AS count, min(${readableStart}) AS oldest
      FROM ${job} GROUP BY 1, 2, 3`,
    backlog: `
      SELECT queue.name, count(j.id)::int AS count, min(j.start) AS oldest
      FROM ${schema}.queue queue
      LEFT JOIN (
        SELECT name, id, ${readableStart} AS start FROM ${job} WHERE state < 'active' AND start_after <= now()
      ) j ON j.name = queue.name
      GROUP BY queue.name`,
    deadLetters: `
      SELECT id, name, data, retry_count, retry_limit, output,
        COALESCE(${readable("completed_on")}, ${readableStart}, 'epoch') AS failed_at
      FROM ${job}
      WHERE name = ANY(${ownQueues}) AND state = 'failed' ORDER BY completed_on DESC NULLS LAST LIMIT $1`,
    // A job that another program sent long ago would be deleted as one that has waited for too long.
    redrive: `
      UPDATE ${job} SET state = 'created', retry_count = 0, started_on = NULL, completed_on = NULL, output = NULL,
        start_after = now(), keep_until = GREATEST(keep_until, now() + interval '10 years'),
        data = CASE WHEN data -> '${cancelRequest}' = 'true'
          THEN COALESCE(data -> '${dataBeforeRequest}', data - '${cancelRequest}') ELSE data END
      WHERE name = ANY(${ownQueues}) AND id = $1::uuid AND state = 'failed'
      RETURNING id`,
    hasSchedule: hasScheduleKeys
      ? `SELECT 1 FROM ${schema}.schedule WHERE name = $1 AND key = $2`
      : `SELECT 1 FROM ${schema}.schedule WHERE name = $1 AND $2::text IS NOT NULL`,
  };
}
