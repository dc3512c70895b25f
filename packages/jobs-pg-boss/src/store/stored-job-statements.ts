import type { StoredJobState } from "@nidus/jobs-durable";
import { dateOrNull, startOrNull } from "./lease-statements.ts";
import { ownQueuesEvent } from "./queue-statements.ts";

/** Statements that read jobs in any state. */
export interface StoredJobStatements {
  /** $1 id, $2 whether to read the payload. Returns the job. */
  readonly job: string;
  /** No parameters. Creates the index of the lists, unless the table is so large that writers would wait for long. */
  readonly createIndex: string;
  /**
   * $1 limit, $2 whether to read the payload, $3 queue, $4 the `created_us` and $5 the id of the last job of the page before. Returns
   * jobs of one queue, the newest first.
   */
  ofQueue(state: StoredJobState | undefined): string;
  /** $1 first queue. Returns the `name` of each of the engine's queues from this one on, in order. */
  readonly queuesFrom: string;
  /**
   * $1 limit, $2 whether to read the payload, $3 queue of the page before, $4 first id in it, from $5 on the queues. Returns jobs by queue
   * and id.
   */
  ofQueues(count: number): string;
  /**
   * $1 limit, $2 whether to read the payload, $3 queue of the page before, $4 the `created_us` and $5 the id of its last job, from $6 on
   * the queues. Returns jobs by queue, those of one queue in the order in which they were created.
   * In the order of ids, PostgreSQL would read all jobs in other states.
   */
  ofQueuesInState(state: StoredJobState, count: number): string;
  /** $1 queues. Returns the `name` of each queue that has jobs in the state. */
  queuesInState(state: StoredJobState): string;
}

/** The job that comes before all others in a list of one queue. */
export const beforeNewest = { createdUs: "infinity", id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };

/** The job that comes before all others in a list of many queues. */
export const beforeOldest = { createdUs: "-infinity", id: "00000000-0000-0000-0000-000000000000" };

/** The largest table, in bytes, for which the index is created: that takes about a second, in which nothing can be written. */
const maxIndexedBytes = 256 * 1024 * 1024;

/** The states of pg-boss, and what else holds for a state of ours. */
const states: Readonly<Record<StoredJobState, { readonly of: readonly string[]; readonly and: string }>> = {
  scheduled: { of: ["created", "retry"], and: "AND start_after > now()" },
  waiting: { of: ["created", "retry"], and: "AND start_after <= now()" },
  running: { of: ["active"], and: "" },
  succeeded: { of: ["completed"], and: "" },
  "dead-lettered": { of: ["failed"], and: "" },
  cancelled: { of: ["cancelled"], and: "" },
};
const anyState = { of: ["created", "retry", "active", "completed", "cancelled", "failed"], and: "" };

/** Builds the statements. `schema` stands unquoted in them, as in pg-boss's own. */
export function storedJobStatements(schema: string): StoredJobStatements {
  const job = `${schema}.job`;
  const ownQueues = `SELECT name FROM ${schema}.subscription WHERE event = '${ownQueuesEvent}'`;
  const newestFirst = "ORDER BY created_on DESC, id DESC";
  // Each queue is a parameter of its own, so that PostgreSQL plans with their partitions alone.
  const inQueues = (
    count: number,
    first: number,
    partsOf: (queue: string) => readonly string[],
    order: string,
  ): string => `
      SELECT * FROM (${Array.from({ length: count }, (_, index) => partsOf(`$${first + index}::text`))
        .flat()
        .join(" UNION ALL ")}) part
      ORDER BY name COLLATE "C", ${order} LIMIT $1::int`;
  return {
    job: `SELECT ${columns} FROM ${job} WHERE name = ANY(ARRAY(${ownQueues})) AND id = $1::uuid LIMIT 1`,
    // A list without the index is slow, and no error.
    createIndex: `
      DO $$ BEGIN
        IF to_regclass('${schema}.nidus_listing') IS NULL
          AND (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('${job}')) < ${maxIndexedBytes} THEN
          PERFORM set_config('lock_timeout', '1s', true);
          CREATE INDEX nidus_listing ON ${job} (name, state, created_on, id);
        END IF;
      EXCEPTION WHEN OTHERS THEN NULL;
      END $$`,
    // Each state has its part of the index, in order.
    ofQueue(state) {
      const { of, and } = state === undefined ? anyState : states[state];
      const parts = of.map(
        (each) => `(
          SELECT * FROM ${job} WHERE name = $3::text AND state = '${each}' ${and}
            AND (created_on, id) < (${momentOf("$4")}, $5::uuid)
          ${newestFirst} LIMIT $1::int)`,
      );
      return `
        SELECT ${columns}, ${createdUs}
        FROM (SELECT * FROM (${parts.join(" UNION ALL ")}) part ${newestFirst} LIMIT $1::int) page
        ${newestFirst}`;
    },
    queuesFrom: `${ownQueues} AND name COLLATE "C" >= $1::text ORDER BY name COLLATE "C"`,
    ofQueues(count) {
      const partsOf = (queue: string): readonly string[] => [
        `(
          SELECT * FROM ${job} WHERE name = ${queue}
            AND id >= CASE WHEN ${queue} = $3::text THEN $4::uuid ELSE '${beforeOldest.id}' END
          ORDER BY id LIMIT $1::int)`,
      ];
      return `
        SELECT ${columns} FROM (${inQueues(count, 5, partsOf, "id")}) page
        ORDER BY name COLLATE "C", id`;
    },
    queuesInState(state) {
      const { of, and } = states[state];
      return `
      SELECT queue.name FROM unnest($1::text[]) AS queue(name) CROSS JOIN LATERAL (
        SELECT FROM ${job} j WHERE j.name = queue.name AND state IN (${of.map((each) => `'${each}'`).join(", ")}) ${and} LIMIT 1
      ) found ORDER BY queue.name COLLATE "C"`;
    },
    ofQueuesInState(state, count) {
      const { of, and } = states[state];
      const partsOf = (queue: string): readonly string[] =>
        of.map(
          (each) => `(
          SELECT * FROM ${job} WHERE name = ${queue} AND state = '${each}' ${and}
            AND (created_on, id) > (CASE WHEN ${queue} = $3::text THEN ${momentOf("$4")} ELSE '-infinity' END,
              CASE WHEN ${queue} = $3::text THEN $5::uuid ELSE '${beforeOldest.id}' END)
          ORDER BY created_on, id LIMIT $1::int)`,
        );
      return `
        SELECT ${columns}, ${createdUs} FROM (${inQueues(count, 6, partsOf, "created_on, id")}) page
        ORDER BY name COLLATE "C", created_on, id`;
    },
  };
}

/**
 * Selects the `created_us` of a job: its `created_on` in Unix microseconds. Other programs also store `infinity`, and years for which the
 * microseconds would not be exact: these stay as PostgreSQL writes them.
 */
const createdUs = `CASE WHEN created_on BETWEEN 'epoch' AND '2255-01-01' THEN (extract(epoch FROM created_on) * 1000000)::bigint::text
  ELSE created_on::text END AS created_us`;

/** Tells whether a text may be a `created_us`. */
export function isCreatedUs(text: string): boolean {
  return /^(\d{1,16}|-?infinity|\d{4,6}-\d\d-\d\d [\d:.]{8,15}[+-][\d:]{2,8}( BC)?)$/.test(text);
}

/** Converts a `created_us` back. */
function momentOf(us: string): string {
  return `CASE WHEN ${us}::text ~ '^[0-9]+$' THEN 'epoch'::timestamptz + ${us}::bigint * interval '1 microsecond' ELSE ${us}::timestamptz END`;
}

/** The columns from which `storedJobFrom` makes a job. */
const columns = `id, name, state::text AS state, start_after > now() AS is_scheduled, priority, retry_count, retry_limit,
  ${dateOrNull("created_on")} AS enqueued_at, ${startOrNull} AS run_at, ${dateOrNull("started_on")} AS started_at,
  ${dateOrNull("completed_on")} AS finished_at, started_on IS NOT NULL AS has_started, output -> 'startedAt' AS attempt_started,
  output -> 'progress' AS progress,
  CASE WHEN $2::boolean OR jsonb_typeof(data) <> 'object' THEN data ELSE data - 'payload' END AS data`;
