import type { Dialect } from "./dialect.ts";
import { cancelRequest, dateOrNull, ownRetention, retainMember, startOrNull } from "./lease-statements.ts";
import { notifications } from "./notifications.ts";
import { ownQueuesEvent } from "./queue-statements.ts";
import { singletonOfRedriven } from "./unique-keys.ts";

/** Statements for dead letters, and for jobs by id alone: pg-boss has no calls for these. */
export interface JobStatements {
  /** $1 id. Cancels a waiting job, and requests it of a running job. Returns the `name` of its queue, and whether it `is_to_remove`. */
  readonly cancel: string;
  /** $1 queue, $2 ids. Does the same for jobs that have not ended, and were not requested to end. Returns the `id` of each, too. */
  readonly cancelAll: string;
  /** $1 ids. Removes cancelled jobs. */
  readonly removeCancelled: string;
  /** $1 limit. Returns the newest dead letters. */
  readonly deadLetters: string;
  /** $1 id. Makes a dead letter a waiting job. */
  readonly redrive: string;
  /** $1 queue, $2 ids. Makes dead letters waiting jobs. */
  readonly redriveAll: string;
  /** $1 id, $2 moment. Moves the start of a job that is scheduled or waits. */
  readonly reschedule: string;
}

/** The key under which `cancel` keeps another program's data that is no object. `redrive` restores the data. */
const dataBeforeRequest = "dataBeforeCancelRequest";

/** Sets the columns of a job that is cancelled: it ends, or, if it runs, its data get a request. */
const cancelled = `
        data = CASE WHEN state = 'active'
          THEN CASE WHEN jsonb_typeof(data) = 'object' THEN data ELSE jsonb_build_object('${dataBeforeRequest}', data) END
            || '{"${cancelRequest}": true}'
          ELSE data END,
        completed_on = CASE WHEN state = 'active' THEN completed_on ELSE now() END,
        state = CASE WHEN state = 'active' THEN state ELSE 'cancelled' END`;

/** Returns what follows a cancellation: whether the job is not retained. */
const cancellation = `j.id, j.name, j.state = 'cancelled' AND j.data -> '${retainMember}' = '0' AS is_to_remove`;

/**
 * Sets the columns of a dead letter that is redriven. Without a new keep_until, pg-boss would delete another program's old job because it
 * has waited for too long.
 */
const redriven = (
  hasRetention: boolean,
): string => `state = 'created', retry_count = 0, singleton_on = ${singletonOfRedriven}, started_on = NULL, completed_on = NULL, output = NULL,
        start_after = now(), keep_until = GREATEST(keep_until, now() + interval '10 years'),
        data = CASE WHEN data -> '${cancelRequest}' = 'true'
          THEN COALESCE(data -> '${dataBeforeRequest}', data - '${cancelRequest}') ELSE data END
        ${hasRetention ? `, deletion_seconds = COALESCE((output ->> '${ownRetention}')::int, deletion_seconds)` : ""}`;

/** Builds the statements. `schema` stands unquoted in them, as in pg-boss's own. */
export function jobStatements(
  schema: string,
  { hasRetention }: Pick<Dialect, "hasRetention">,
): JobStatements {
  const job = `${schema}.job`;
  const { notifyJob, notifyEnd, isEndAwaited } = notifications(schema);
  const told = `CASE WHEN j.state = 'cancelled' AND ${isEndAwaited("j.name")} THEN ${notifyEnd("j.id", "j.name")} END AS notified`;
  const ownQueues = `ARRAY(SELECT name FROM ${schema}.subscription WHERE event = '${ownQueuesEvent}')`;
  // In one order, so that two calls do not wait for each other.
  const jobsByIds = `WITH found AS (SELECT id FROM ${job} WHERE name = $1::text AND id = ANY($2::uuid[])`;
  return {
    cancel: `
      UPDATE ${job} j SET ${cancelled}
      WHERE name = ANY(${ownQueues}) AND id = $1::uuid AND state <= 'active'
      RETURNING ${cancellation}, ${told}`,
    cancelAll: `
      ${jobsByIds} AND (state < 'active' OR state = 'active' AND data -> '${cancelRequest}' IS DISTINCT FROM 'true')
      ORDER BY id FOR UPDATE)
      UPDATE ${job} j SET ${cancelled} FROM found WHERE j.name = $1 AND j.id = found.id
      RETURNING ${cancellation}, ${told}`,
    removeCancelled: `DELETE FROM ${job} WHERE name = ANY(${ownQueues}) AND id = ANY($1::uuid[]) AND state = 'cancelled'`,
    deadLetters: `
      SELECT id, name, data, retry_count, retry_limit, output,
        COALESCE(${dateOrNull("completed_on")}, ${startOrNull}, 'epoch') AS failed_at
      FROM ${job}
      WHERE name = ANY(${ownQueues}) AND state = 'failed' ORDER BY completed_on DESC NULLS LAST LIMIT $1`,
    redrive: `
      UPDATE ${job} j SET ${redriven(hasRetention)}
      WHERE name = ANY(${ownQueues}) AND id = $1::uuid AND state = 'failed'
      RETURNING name, ${notifyJob("name")} AS notified`,
    redriveAll: `
      ${jobsByIds} AND state = 'failed' ORDER BY id FOR UPDATE)
      UPDATE ${job} j SET ${redriven(hasRetention)} FROM found WHERE j.name = $1 AND j.id = found.id
      RETURNING j.id, ${notifyJob("j.name")} AS notified`,
    reschedule: `
      UPDATE ${job} SET start_after = $2::timestamptz, keep_until = GREATEST(keep_until, $2::timestamptz + interval '10 years')
      WHERE name = ANY(${ownQueues}) AND id = $1::uuid AND state < 'active'
      RETURNING name, CASE WHEN start_after <= now() THEN ${notifyJob("name")} ELSE ${notifyJob("name", true)} END AS notified`,
  };
}
