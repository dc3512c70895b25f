import type { Dialect, StorageSettings } from "./dialect.ts";

/**
 * Statements that create queues and store jobs. Each parameter occurs once, in order, and is text, so that query builders can run
 * them too.
 */
export interface QueueStatements {
  /** $1 JSON of queues. Returns the names of the engine's own queues among them. */
  readonly ownQueues: string;
  /** $1 JSON of queues. Creates missing queues, and marks all as the engine's own. */
  readonly createQueues: string;
  /**
   * $1 queue, $2 the `last_us` of the statement before, $3 JSON of jobs. Stores jobs whose ids are free, if the queue is the
   * engine's own (`is_own_queue`). Returns the number `stored`, their `ids` if asked for, the time of the last one in microseconds
   * (`last_us`), and whether the transaction `sees_other_connections`
   * commit: not above READ COMMITTED, and not on PGlite, which has no other connection.
   */
  insert(withIds: boolean): string;
}

/** The columns that the statement `insert` takes of a job, beside its `data`. */
export interface InsertedColumns {
  readonly id: string;
  readonly run_at?: string | undefined;
  readonly max_attempts: number;
}

/**
 * The pg-boss event to which the engine's own queues are subscribed. The subscription marks a queue as the engine's own for every
 * process, and pg-boss deletes it with the queue. No program should publish this event.
 */
export const ownQueuesEvent = "nidus";

/** Builds the statements. `schema` stands unquoted in them, as in pg-boss's own. */
export function queueStatements(
  schema: string,
  dialect: Dialect,
  settings: StorageSettings,
): QueueStatements {
  const storage = dialect.storage(settings);
  return {
    ownQueues: `
      SELECT name FROM ${schema}.subscription
      WHERE event = '${ownQueuesEvent}' AND name IN (SELECT json_array_elements_text($1::text::json))`,
    // The lock lets one process create at a time: two would both lock the table of queues, and then each want it alone.
    createQueues: `
      WITH turn AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(hashtextextended('${schema}.create_queue', 0))
      ), created AS MATERIALIZED (
        SELECT name, ${schema}.create_queue(name, '{"policy":"standard"}'::${dialect.queueOptionsType})
        FROM turn, json_array_elements_text($1::text::json) AS name
      )
      INSERT INTO ${schema}.subscription (event, name) SELECT '${ownQueuesEvent}', name FROM created
      ON CONFLICT DO NOTHING`,
    // Jobs are fetched by created_on, so each job is a microsecond later than the one before. PGlite's clock has milliseconds.
    insert: (withIds) => `
      WITH queue AS (
        SELECT name FROM ${schema}.subscription WHERE event = '${ownQueuesEvent}' AND name = $1::text
      ), new AS (
        SELECT id, data, run_at, max_attempts, statement_timestamp() AS now,
          GREATEST(statement_timestamp(), 'epoch'::timestamptz + ($2::text::bigint + 1) * interval '1 microsecond')
            + (position - 1) * interval '1 microsecond' AS created_on
        FROM ROWS FROM (
          json_to_recordset($3::text::json) AS (id uuid, data jsonb, run_at timestamptz, max_attempts int)
        ) WITH ORDINALITY AS new(id, data, run_at, max_attempts, position)
      ), stored AS (
        INSERT INTO ${schema}.job (id, name, data, created_on, start_after, keep_until,
          retry_limit, retry_delay, retry_backoff, ${Object.keys(storage).join(", ")})
        SELECT new.id, queue.name, new.data, new.created_on, COALESCE(new.run_at, new.now),
          GREATEST(new.run_at, new.now) + interval '10 years',
          new.max_attempts, 0, false, ${Object.values(storage).join(", ")}
        FROM queue, new
        ON CONFLICT DO NOTHING
        RETURNING id, created_on
      )
      SELECT (SELECT count(*) FROM stored)::int AS stored,
        (SELECT (extract(epoch FROM max(created_on)) * 1000000)::bigint::text FROM stored) AS last_us,
        ${withIds ? "(SELECT string_agg(id::text, ',') FROM stored)" : "NULL"} AS ids,
        EXISTS (SELECT FROM queue) AS is_own_queue,
        current_setting('transaction_isolation') LIKE 'read %' AND version() NOT LIKE '%emscripten%' AS sees_other_connections`,
  };
}
