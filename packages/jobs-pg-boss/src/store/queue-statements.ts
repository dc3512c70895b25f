import type { Dialect, StorageSettings } from "./dialect.ts";
import { notifications } from "./notifications.ts";
import { holding, uniqueKeyParts } from "./unique-keys.ts";

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
   * $1 the `last_us` of the statement before, $2 JSON of jobs, $3 queue. Stores jobs whose ids are free, if the queue is the
   * engine's own (`is_own_queue`). Returns the number `stored`, their `ids` if they may be duplicates, the time of the last one in
   * microseconds (`last_us`), and whether the transaction `sees_other_connections` commit: not above READ COMMITTED, and not on PGlite,
   * which has no other connection. A job with a unique key comes alone: also returns the `holder` of its key, unless that was stored
   * after the statement began. Notifies other processes of what it has stored, if asked to.
   */
  insert(duplicates: Duplicates, notifies: Notifies): string;
  /**
   * Stores one job without a unique key. $1 the `last_us` of the statement before, $2 its id, $3 its data, then its further columns and
   * its queue. Returns its `last_us`, or no row if it was not stored: `insert` then says why. This takes PostgreSQL half of the time of
   * `insert`, which it spends on parsing and planning.
   */
  insertOne(notifies: Notifies): string;
  /**
   * $1 queue. Returns `is_own_queue` and `sees_other_connections`, as `insert` does, once no process creates queues: until a creation has
   * ended, other connections may see the queue and not its table.
   */
  readonly findQueue: string;
  /** $1 queue, $2 singleton key. Returns the `id` of the job that holds the key. */
  readonly holder: string;
}

/** How the statement `insert` notifies: of jobs that are due, or that come due before idle workers poll again. */
export type Notifies = "now" | "later" | undefined;

/** How a job that is stored may turn out to be a duplicate. */
export type Duplicates = "none" | "by id" | "by unique key";

/** The columns that the statements take of a job, beside its `id` and its `data`. */
export interface InsertedColumns {
  readonly run_at?: string | undefined;
  readonly max_attempts: number;
  readonly priority?: number | undefined;
  readonly singleton_key?: string | undefined;
  readonly retain_seconds?: number | undefined;
  readonly group_id?: string | undefined;
  readonly group_tier?: string | undefined;
}

/** Their types. */
const insertedTypes = {
  id: "uuid",
  data: "jsonb",
  run_at: "timestamptz",
  max_attempts: "int",
  priority: "int",
  singleton_key: "text",
  retain_seconds: "int",
  group_id: "text",
  group_tier: "text",
} as const satisfies Record<keyof Required<InsertedColumns> | "id" | "data", string>;

const insertedNames = Object.keys(insertedTypes);
const inserted = insertedNames.join(", ");
const typedColumns = Object.entries(insertedTypes)
  .map((column) => column.join(" "))
  .join(", ");
const parameters = Object.entries(insertedTypes)
  .map(([column, type], index) => `$${index + 2}::text::${type} AS ${column}`)
  .join(", ");

/** The further columns, in the order in which the statement `insertOne` takes them. */
export const furtherColumns = insertedNames.slice(2) as readonly (keyof InsertedColumns)[];

/**
 * The pg-boss event to which the engine's own queues are subscribed. The subscription marks a queue as the engine's own for every
 * process, and pg-boss deletes it with the queue. No program should publish this event.
 */
export const ownQueuesEvent = "nidus";

/** Builds the statements. `event` marks the queues. `schema` stands unquoted in them, as in pg-boss's own. */
export function queueStatements(
  schema: string,
  dialect: Dialect,
  settings: StorageSettings,
  event: string = ownQueuesEvent,
): QueueStatements {
  const storage = { ...dialect.storage(settings), priority: "COALESCE(new.priority, 0)" };
  const uniqueStorage = { ...storage, singleton_key: "new.singleton_key", singleton_on: holding };
  const unique = uniqueKeyParts(schema, "(SELECT name FROM queue)", "(SELECT singleton_key FROM new)");
  const ownQueue = (queue: string): string =>
    `SELECT name FROM ${schema}.subscription WHERE event = '${ownQueuesEvent}' AND name = ${queue}::text`;
  const seesOtherConnections =
    "current_setting('transaction_isolation') LIKE 'read %' AND version() NOT LIKE '%emscripten%' AS sees_other_connections";
  const creation = `hashtextextended('${schema}.create_queue', 0)`;
  const now = "statement_timestamp()";
  const firstCreatedOn = `GREATEST(${now}, 'epoch'::timestamptz + ($1::text::bigint + 1) * interval '1 microsecond')`;
  const notify = (notifies: Notifies, queue: string): string =>
    notifications(schema).notifyJob(queue, notifies === "later");
  /** Inserts the jobs `new` of a `queue`. */
  const insertNew = (columns: Readonly<Record<string, string>>, createdOn: string, from: string): string => `
        INSERT INTO ${schema}.job (id, name, data, created_on, start_after, keep_until,
          retry_limit, retry_delay, retry_backoff, ${Object.keys(columns).join(", ")})
        SELECT new.id, queue.name, new.data, ${createdOn}, COALESCE(new.run_at, ${now}),
          GREATEST(new.run_at, ${now}) + interval '10 years',
          new.max_attempts, 0, false, ${Object.values(columns).join(", ")}
        FROM ${from}
        ON CONFLICT DO NOTHING`;
  return {
    ownQueues: `
      SELECT name FROM ${schema}.subscription
      WHERE event = '${event}' AND name IN (SELECT json_array_elements_text($1::text::json))`,
    // The lock lets one process create at a time: two would both lock the table of queues, and then each want it alone.
    createQueues: `
      WITH turn AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(${creation})
      ), created AS MATERIALIZED (
        SELECT name, ${schema}.create_queue(name, '{"policy":"standard"}'::${dialect.queueOptionsType})
        FROM turn, json_array_elements_text($1::text::json) AS name
      )
      INSERT INTO ${schema}.subscription (event, name) SELECT '${event}', name FROM created
      ON CONFLICT DO NOTHING`,
    // Jobs are fetched by created_on, so each job is a microsecond later than the one before. PGlite's clock has milliseconds.
    insert(duplicates, notifies) {
      const byKey = duplicates === "by unique key";
      const columns = byKey ? uniqueStorage : storage;
      return `
      WITH new AS (
        SELECT ${inserted}, ${firstCreatedOn} + (position - 1) * interval '1 microsecond' AS created_on
        FROM ROWS FROM (json_to_recordset($2::text::json) AS (${typedColumns})) WITH ORDINALITY AS new(${inserted}, position)
      ), queue AS (${ownQueue("$3")}), ${byKey ? `freed AS (${unique.free}),` : ""} stored AS (
        ${insertNew(columns, "new.created_on", `new, queue${byKey ? ", (SELECT count(*) FROM freed) AS freed" : ""}`)}
        RETURNING id, created_on
      )
      SELECT (SELECT count(*) FROM stored)::int AS stored,
        (SELECT ${usOf("max(created_on)")} FROM stored) AS last_us,
        ${duplicates === "by id" ? "(SELECT string_agg(id::text, ',') FROM stored)" : "NULL"} AS ids,
        ${byKey ? `(${unique.holder})` : "NULL"} AS holder,
        ${notifies === undefined ? "NULL" : `(SELECT ${notify(notifies, "queue.name")} FROM queue WHERE EXISTS (SELECT FROM stored))`} AS notified,
        EXISTS (SELECT FROM queue) AS is_own_queue, ${seesOtherConnections}`;
    },
    insertOne: (notifies) => `
      ${insertNew(storage, firstCreatedOn, `(SELECT ${parameters}) AS new, (${ownQueue(`$${insertedNames.length + 2}`)}) AS queue`)}
      RETURNING ${usOf("created_on")} AS last_us${notifies === undefined ? "" : `, ${notify(notifies, "name")} AS notified`}`,
    findQueue: `
      SELECT EXISTS (${ownQueue("$1")}) AS is_own_queue, ${seesOtherConnections},
        pg_advisory_lock_shared(${creation}) AS locked, pg_advisory_unlock_shared(${creation}) AS unlocked`,
    holder: uniqueKeyParts(schema, "$1::text", "$2::text").holder,
  };
}

/** Converts a time to Unix microseconds, as text. */
function usOf(time: string): string {
  return `(extract(epoch FROM ${time}) * 1000000)::bigint::text`;
}
