import type { Major } from "./postgres-store.ts";
import { partsOf, type Size } from "./store.ts";

/** Fills pg-boss's table as the engine's own statements do, oldest job first, over the last twelve hours. */
export function fillStatement(major: Major, size: Size): string {
  const { ended, running, waiting } = partsOf(size);
  const lease = major === 10 ? "expire_in" : "expire_seconds, deletion_seconds";
  const leaseValue = major === 10 ? "interval '6 hours'" : "21600, 86400";
  return `
    INSERT INTO pgboss.job (id, name, data, priority, state, retry_limit, retry_delay, retry_backoff, created_on, start_after,
      started_on, completed_on, keep_until, output, singleton_key, singleton_on, ${lease})
    SELECT
      (lpad(to_hex((extract(epoch FROM created) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0')
        || '8' || lpad(to_hex(i), 15, '0'))::uuid,
      'job_' || lpad((i % ${size.names})::text, 3, '0'),
      CASE WHEN state = 'failed' THEN jsonb_build_object('nidusErrors', jsonb_build_array(
        jsonb_build_object('attempt', 5, 'message', 'connect ECONNREFUSED 10.0.0.' || i % 50, 'at', created))) ELSE '{}' END
        || jsonb_build_object('payloadBytes', 118, 'payload', jsonb_build_object('to', 'user-' || i || '@example.org',
          'subject', repeat('a daily digest ', 5))),
      CASE WHEN state = 'created' AND i % 20 = 0 THEN -5 ELSE 0 END,
      state::pgboss.job_state, 5, 0, false, created,
      CASE WHEN i >= ${ended + running + waiting} THEN now() + (i % 1440 + 60) * interval '1 minute' ELSE created END,
      CASE WHEN state = 'active' THEN now() WHEN state <> 'created' THEN created + interval '1 second' END,
      CASE WHEN state IN ('completed', 'cancelled', 'failed') THEN created + interval '2 seconds' END,
      now() + interval '10 years',
      CASE state WHEN 'failed' THEN jsonb_build_object('message', 'connect ECONNREFUSED 10.0.0.' || i % 50, 'lease', 'a lease')
        WHEN 'created' THEN NULL ELSE '{"lease": "a lease", "startedAt": 1700000000}' END,
      CASE WHEN state = 'created' AND i % 20 = 1 THEN 'key-' || i END,
      CASE WHEN state = 'created' AND i % 20 = 1 THEN 'epoch'::timestamp END,
      ${leaseValue}
    FROM (
      SELECT i, now() - (${size.jobs} - i) * interval '12 hours' / ${size.jobs} AS created,
        CASE WHEN i >= ${ended + running} THEN 'created' WHEN i >= ${ended} THEN 'active'
          WHEN i / ${size.names} % 15 = 0 THEN 'failed' WHEN i / ${size.names} % 15 = 1 THEN 'cancelled' ELSE 'completed' END AS state
      FROM generate_series(0, ${size.jobs - 1}) AS i
    ) job`;
}

/** Creates the index of lists, as the package's README tells for a large table. */
export const indexStatement =
  "CREATE INDEX IF NOT EXISTS nidus_listing ON pgboss.job (name, state, created_on, id)";
