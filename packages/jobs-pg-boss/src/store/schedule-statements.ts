import { isInQueue, startOrNull } from "./lease-statements.ts";

/**
 * The queue whose jobs are the records of schedules. They never come due, and no worker fetches from it. `queueName` cannot make this
 * name, and the queue is not among the engine's own, so that no count, list or cancellation includes it.
 */
export const scheduleQueue = "nidus/schedules";

/** The pg-boss event that marks the queue of records. No program should publish it. */
export const scheduleQueueEvent = "nidus.schedules";

/** Statements about the records of schedules, and about the jobs that these have stored ahead. */
export interface ScheduleStatements {
  /** No parameters. Returns `now_ms`, the clock of PostgreSQL. */
  readonly now: string;
  /** $1 job name, or null for all. Returns the `data` of each record. */
  readonly records: string;
  /** $1 id. Returns the `data` of a record. */
  readonly find: string;
  /**
   * $1 queues of that many names, $2 ids. Returns the `id` of each job that has not started, and its start in Unix milliseconds, if
   * JavaScript has such a date.
   */
  starts(names: number): string;
  /** $1 queues of that many names, $2 the names. Returns the `data` of those records whose next job does not wait. */
  findStarted(names: number): string;
  /** $1 id, $2 data. Returns a row if there was no record of this id. */
  readonly add: string;
  /** $1 id, $2 data, $3 the `nextId` to replace. Returns a row if the record had it. */
  readonly replace: string;
  /** $1 id, $2 `nextId`. Returns a row if the record had it. */
  readonly remove: string;
  /** $1 queue, $2 id. Removes a job that has not started. */
  readonly removeWaiting: string;
}

/** Builds the statements. `schema` stands unquoted in them, as in pg-boss's own. */
export function scheduleStatements(schema: string): ScheduleStatements {
  const job = `${schema}.job`;
  const isRecord = `r.name = '${scheduleQueue}'`;
  // Another program may have stored any text.
  const nextId = `CASE WHEN r.data ->> 'nextId' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (r.data ->> 'nextId')::uuid END`;
  return {
    now: "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms",
    records: `SELECT r.data FROM ${job} r WHERE ${isRecord} AND ($1::text IS NULL OR r.data ->> 'jobName' = $1)`,
    find: `SELECT r.data FROM ${job} r WHERE ${isRecord} AND r.id = $1::uuid`,
    // The limit lets PostgreSQL look up each id: a join would read all jobs that wait.
    starts: (names) => `
      SELECT found.id, round(extract(epoch FROM found.start_at) * 1000)::float8 AS start_at_ms
      FROM unnest($1::text[], $2::uuid[]) AS next(queue, id) CROSS JOIN LATERAL (
        SELECT j.id, ${startOrNull} AS start_at FROM ${job} j
        WHERE ${isInQueue("next.queue", names)} AND j.id = next.id AND j.state = 'created' LIMIT 1
      ) found`,
    findStarted: (names) => `
      SELECT r.data FROM ${job} r JOIN unnest($1::text[], $2::text[]) AS of(queue, job_name)
        ON of.job_name = r.data ->> 'jobName'
      WHERE ${isRecord} AND NOT EXISTS (
        SELECT FROM ${job} j WHERE ${isInQueue("of.queue", names)} AND j.id = ${nextId} AND j.state = 'created'
      )`,
    add: `
      INSERT INTO ${job} (name, id, data, start_after, keep_until)
      VALUES ('${scheduleQueue}', $1::uuid, $2::jsonb, '9999-12-31', '9999-12-31')
      ON CONFLICT DO NOTHING RETURNING id`,
    replace: `
      UPDATE ${job} r SET data = $2::jsonb WHERE ${isRecord} AND r.id = $1::uuid AND r.data ->> 'nextId' = $3
      RETURNING r.id`,
    remove: `
      DELETE FROM ${job} r WHERE ${isRecord} AND r.id = $1::uuid AND r.data ->> 'nextId' = $2 RETURNING r.id`,
    removeWaiting: `DELETE FROM ${job} WHERE name = $1 AND id = $2::uuid AND state = 'created'`,
  };
}
