import type { Dialect } from "./dialect.ts";
import { dateOrNull, startOrNull } from "./lease-statements.ts";

/**
 * Statements that count jobs. None has parameters. Each but `all` reads as few rows of jobs that have not ended as the indexes of pg-boss
 * allow, so each condition is one of theirs.
 */
export interface CountStatements {
  /**
   * Returns a row for each queue and state. Jobs that have not ended are in "active", or in "created" with `is_scheduled`. A row may add
   * an `oldest` and no count.
   */
  readonly live: string;
  /** Reads all jobs. Returns what `live` does, and rows of jobs that have ended, each with `bytes`: the size of pg-boss's table. */
  readonly all: string;
  /** Returns a row for each queue. */
  readonly waiting: string;
  /** Returns what `waiting` does, with the dead letters of each queue, and `bytes` in each row. */
  readonly backlog: string;
}

/** Builds the statements. `schema` stands unquoted in them, as in pg-boss's own. */
export function countStatements(schema: string, { isReady, hasIndexOfLiveJobs }: Dialect): CountStatements {
  const job = `${schema}.job`;
  const bytes = `(SELECT COALESCE(sum(pg_relation_size(relid)), 0)::float8 FROM pg_partition_tree('${job}'))`;
  const live = hasIndexOfLiveJobs ? liveByState(job) : liveByStart(schema);
  const waiting = `
    SELECT name, count(*)::int AS count, min(${startOrNull}) AS oldest
    FROM ${job} j WHERE state < 'active' AND start_after <= now() AND ${isReady} GROUP BY name`;
  return {
    live,
    // All rows are read, so once: PostgreSQL plans each part of a statement with every partition.
    all: `
      SELECT counted.*, CASE WHEN state NOT IN ('created', 'active') THEN ${bytes} END AS bytes
      FROM (
        SELECT name, CASE WHEN state < 'active' THEN 'created' ELSE state::text END AS state,
          state < 'active' AND start_after > now() AS is_scheduled, count(*)::int AS count, min(${startOrNull}) AS oldest
        FROM ${job} GROUP BY 1, 2, 3
      ) counted`,
    waiting: `
      SELECT queue.name, COALESCE(waiting.count, 0) AS count, waiting.oldest
      FROM ${schema}.queue queue LEFT JOIN (${waiting}) waiting ON waiting.name = queue.name`,
    // Naming the queues lets an index find the dead letters among the jobs that have ended.
    backlog: `
      SELECT queue.name, COALESCE(waiting.count, 0) AS count, waiting.oldest,
        COALESCE(failed.count, 0) AS dead_lettered, failed.oldest AS oldest_dead_letter, ${bytes} AS bytes
      FROM ${schema}.queue queue LEFT JOIN (${waiting}) waiting ON waiting.name = queue.name
      LEFT JOIN (
        SELECT name, count(*)::int AS count, min(${dateOrNull("completed_on")}) AS oldest
        FROM ${job} WHERE name = ANY(ARRAY(SELECT name FROM ${schema}.queue)) AND state = 'failed' GROUP BY name
      ) failed ON failed.name = queue.name`,
  };
}

/**
 * pg-boss 10 has an index of waiting jobs, with all that is asked of them. The order is that of the index: without it, PostgreSQL may read
 * the whole table, which takes three times as long. Jobs that run are in no index but that of lists. That is asked queue by queue, from an
 * array: PostgreSQL then expects few queues, and spends no time on compiling the statement.
 */
function liveByStart(schema: string): string {
  return `
      SELECT name, 'created' AS state, start_after > now() AS is_scheduled, count(*)::int AS count, min(${startOrNull}) AS oldest
      FROM (
        SELECT name, start_after, created_on FROM ${schema}.job WHERE state < 'active' ORDER BY name, start_after
      ) waiting
      GROUP BY 1, 3
      UNION ALL
      SELECT queue.name, 'active', false, running.count, NULL::timestamptz
      FROM unnest(ARRAY(SELECT name FROM ${schema}.queue)) AS queue(name) CROSS JOIN LATERAL (
        SELECT count(*)::int AS count FROM ${schema}.job j WHERE j.name = queue.name AND j.state = 'active'
      ) running
      WHERE running.count > 0`;
}

/**
 * pg-boss 12 has an index of all live jobs by state, in whose order they are read, as above. It lacks the time of enqueue, which counts for
 * a job that starts at no date.
 */
function liveByState(job: string): string {
  return `
      SELECT name, CASE state WHEN 'active' THEN 'active' ELSE 'created' END AS state, start_after > now() AS is_scheduled,
        count(*)::int AS count, min(${dateOrNull("start_after")}) AS oldest
      FROM (
        SELECT name, state, start_after FROM ${job}
        WHERE state IN ('created', 'retry', 'active') ORDER BY name, state, blocked, start_after
      ) live
      GROUP BY 1, 2, 3
      UNION ALL
      SELECT name, 'created', false, 0, min(${dateOrNull("created_on")})
      FROM ${job} WHERE state < 'active' AND NOT blocked AND start_after < 'epoch' GROUP BY 1`;
}
