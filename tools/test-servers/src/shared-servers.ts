import { postgresCommand, startPostgres } from "./postgres-server.ts";
import { redisCommand, startRedis } from "./redis-server.ts";

/** A server that tests share, and how to be done with it. */
export interface SharedServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * The Redis of NIDUS_REDIS_URL, or one of our own; undefined, with a loud word, where there is neither.
 *
 * @throws (rejects with) Error where `CI` is set and there is neither.
 */
export async function sharedRedis(): Promise<SharedServer | undefined> {
  const url = process.env.NIDUS_REDIS_URL;
  if (url) return { url, stop: async () => {} };
  return redisCommand === undefined ? missing("Redis", "NIDUS_REDIS_URL") : startRedis();
}

/**
 * The PostgreSQL of NIDUS_PG_URL, or one of our own; undefined, with a loud word, where there is neither.
 *
 * @throws (rejects with) Error where `CI` is set and there is neither.
 */
export async function sharedPostgres(): Promise<SharedServer | undefined> {
  const url = process.env.NIDUS_PG_URL;
  if (url) return { url, stop: async () => {} };
  return postgresCommand === undefined ? missing("PostgreSQL", "NIDUS_PG_URL") : startPostgres();
}

function missing(server: string, variable: string): undefined {
  const message = `there is no ${server} to test with: install its server, or set ${variable}`;
  if (process.env.CI) throw new Error(message);
  console.error(`SKIPPED: ${message}`);
  return undefined;
}
