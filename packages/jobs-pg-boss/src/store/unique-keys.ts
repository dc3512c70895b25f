import { createHash } from "node:crypto";

/**
 * The `singleton_on` of a job that holds a unique key. pg-boss has a unique index on queue, `singleton_on` and `singleton_key`, without
 * cancelled jobs. A bare job of pg-boss 12 with `singletonKey` and `singletonSeconds: 2147483647` has this value, too.
 */
export const holding = "'epoch'::timestamp";

/** The member of a job's data that says for how long it holds its key, instead of until its end. */
export const uniqueForMs = "uniqueForMs";

const isTimed = `jsonb_typeof(j.data -> '${uniqueForMs}') = 'number'`;

/** Whether the job `j`, which has the `singleton_on` of a holder, still holds its key. Other programs may store any number. */
const isHolding = `CASE WHEN ${isTimed}
  THEN j.created_on + LEAST(GREATEST((j.data ->> '${uniqueForMs}')::numeric, 0), 1e13)::float8 * interval '1 millisecond' > statement_timestamp()
  ELSE j.state <= 'active' END`;

/** The `singleton_on` of a job `j` that is redriven. It does not hold its key again, but a time that has not passed goes on. */
export const singletonOfRedriven: string = `CASE WHEN j.singleton_on = ${holding} AND ${isTimed} IS NOT TRUE THEN NULL ELSE j.singleton_on END`;

/** The longest key, in bytes, that the index takes as it is beside a long queue name. */
const maxKeyBytes = 256;

/** Returns the `singleton_key` of a unique key. */
export function singletonKeyOf(uniqueKey: string): string {
  if (Buffer.byteLength(uniqueKey) <= maxKeyBytes) return uniqueKey;
  return `sha256:${createHash("sha256").update(uniqueKey).digest("hex")}`;
}

/** The parts of statements about unique keys. `queue` and `key` are SQL expressions. */
export interface UniqueKeyParts {
  /** Frees the key if its job has ended, or its time has passed. A job does not give its key back when it ends: the next one takes it. */
  readonly free: string;
  /** Selects the `id` of the job that holds the key. */
  readonly holder: string;
}

/** Builds the parts. `schema` stands unquoted in them, as in pg-boss's own statements. */
export function uniqueKeyParts(schema: string, queue: string, key: string): UniqueKeyParts {
  const hasKey = `j.name = ${queue} AND j.singleton_on = ${holding} AND COALESCE(j.singleton_key, '') = ${key} AND j.state <> 'cancelled'`;
  return {
    free: `UPDATE ${schema}.job j SET singleton_on = NULL WHERE ${hasKey} AND NOT (${isHolding}) RETURNING j.id`,
    holder: `SELECT j.id FROM ${schema}.job j WHERE ${hasKey} AND ${isHolding}`,
  };
}
