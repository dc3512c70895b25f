import { retainMember } from "./inserted-job.ts";
import { cancelRequest, dateOrNull, startOrNull } from "./lease-statements.ts";
import { ownQueuesEvent } from "./queue-statements.ts";
import { singletonOfRedriven } from "./unique-keys.ts";

/** Statements for counts, and for jobs by id alone: pg-boss has no calls for these. */
export interface JobStatements {
  /** $1 id. Cancels a waiting job, and requests it of a running job. Returns the `name` of its queue, and whether it `is_to_remove`. */
  readonly cancel: string;
  /** $1 id. Removes a cancelled job. */
  readonly removeCancelled: string;
  /** No parameters. Returns a row for each queue and state. */
  readonly counts: string;
  /** No parameters. Returns a row for each queue. */
  readonly backlog: string;
  /** $1 limit. Returns the newest dead letters. */
  readonly deadLetters: string;
  /** $1 id. Makes a dead letter a waiting job. */
  readonly redrive: string;
}

/** The key under which `cancel` keeps another program's data that is no object. `redrive` restores the data. */
const dataBeforeRequest = "dataBeforeCancelRequest";

/** Builds the statements. `schema` stands unquoted in them, as in pg-boss's own. */
export function jobStatements(schema: string): JobStatements {
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
      RETURNING name, state = 'cancelled' AND data -> '${retainMember}' = '0' AS is_to_remove`,
    removeCancelled: `DELETE FROM ${job} WHERE name = ANY(${ownQueues}) AND id = $1::uuid AND state = 'cancelled'`,
    counts: `
      SELECT name, state::text, state < 'active' AND start_after > now() AS is_scheduled,
        count(*)::int AS count, min(${startOrNull}) AS oldest
      FROM ${job} GROUP BY 1, 2, 3`,
    // Naming the queues lets an index find the dead letters among the jobs that have ended.
    backlog: `
      SELECT queue.name, COALESCE(waiting.count, 0) AS count, waiting.oldest,
        COALESCE(failed.count, 0) AS dead_lettered, failed.oldest AS oldest_dead_letter
      FROM ${schema}.queue queue
      LEFT JOIN (
        SELECT name, count(*)::int AS count, min(${startOrNull}) AS oldest
        FROM ${job} WHERE state < 'active' AND start_after <= now() GROUP BY name
      ) waiting ON waiting.name = queue.name
      LEFT JOIN (
        SELECT name, count(*)::int AS count, min(${dateOrNull("completed_on")}) AS oldest
        FROM ${job} WHERE name = ANY(ARRAY(SELECT name FROM ${schema}.queue)) AND state = 'failed' GROUP BY name
      ) failed ON failed.name = queue.name`,
    deadLetters: `
      SELECT id, name, data, retry_count, retry_limit, output,
        COALESCE(${dateOrNull("completed_on")}, ${startOrNull}, 'epoch') AS failed_at
      FROM ${job}
      WHERE name = ANY(${ownQueues}) AND state = 'failed' ORDER BY completed_on DESC NULLS LAST LIMIT $1`,
    // Without a new keep_until, pg-boss would delete another program's old job because it has waited for too long.
    redrive: `
      UPDATE ${job} j SET state = 'created', retry_count = 0, singleton_on = ${singletonOfRedriven}, started_on = NULL, completed_on = NULL, output = NULL,
        start_after = now(), keep_until = GREATEST(keep_until, now() + interval '10 years'),
        data = CASE WHEN data -> '${cancelRequest}' = 'true'
          THEN COALESCE(data -> '${dataBeforeRequest}', data - '${cancelRequest}') ELSE data END
      WHERE name = ANY(${ownQueues}) AND id = $1::uuid AND state = 'failed'
      RETURNING id`,
  };
}
