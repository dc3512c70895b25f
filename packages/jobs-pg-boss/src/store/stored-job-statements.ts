import { dateOrNull, startOrNull } from "./lease-statements.ts";
import { ownQueuesEvent } from "./queue-statements.ts";

/** Statements that read jobs in any state. */
export interface StoredJobStatements {
  /** $1 id, $2 whether to read the payload. Returns the job. */
  readonly job: string;
}

/** Builds the statements. `schema` stands unquoted in them, as in pg-boss's own. */
export function storedJobStatements(schema: string): StoredJobStatements {
  const job = `${schema}.job`;
  const ownQueues = `ARRAY(SELECT name FROM ${schema}.subscription WHERE event = '${ownQueuesEvent}')`;
  return {
    job: `
      SELECT ${storedJobColumns("$2")} FROM ${job} WHERE name = ANY(${ownQueues}) AND id = $1::uuid LIMIT 1`,
  };
}

/** The columns from which `storedJobFrom` makes a job. `withPayload` is an SQL condition. */
function storedJobColumns(withPayload: string): string {
  return `id, name, state::text AS state, start_after > now() AS is_scheduled, priority, retry_count, retry_limit,
    ${dateOrNull("created_on")} AS enqueued_at, ${startOrNull} AS run_at, ${dateOrNull("started_on")} AS started_at,
    ${dateOrNull("completed_on")} AS finished_at, started_on IS NOT NULL AS has_started, output -> 'startedAt' AS attempt_started,
    CASE WHEN ${withPayload} OR jsonb_typeof(data) <> 'object' THEN data ELSE data - 'payload' END AS data`;
}
