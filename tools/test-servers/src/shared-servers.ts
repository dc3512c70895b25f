import { ownDatabase } from "./own-database.ts";
import { postgresCommand, startPostgres } from "./postgres-server.ts";
import { redisCommand, startRedis } from "./redis-server.ts";
import { postgresOfRun, settings } from "./servers-of-run.ts";

/** A server that tests share. */
export interface SharedServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Connects to the Redis of NIDUS_REDIS_URL, or starts one. Resolves to undefined, with a warning, if neither is possible.
 *
 * @throws (rejects with) Error if `CI` is set and neither is possible.
 */
export async function sharedRedis(): Promise<SharedServer | undefined> {
  const url = process.env.NIDUS_REDIS_URL;
  if (url) return { url, stop: async () => {} };
  return redisCommand === undefined ? missing("Redis", "NIDUS_REDIS_URL") : startRedis();
}

/**
 * Connects to the PostgreSQL of NIDUS_PG_URL, makes a database on the server of this run of the tests, or starts a server. Resolves
 * to undefined, with a warning, if none of these is possible.
 *
 * @throws (rejects with) Error if `CI` is set and none of these is possible.
 */
export async function sharedPostgres(): Promise<SharedServer | undefined> {
  const url = process.env.NIDUS_PG_URL;
  if (url) return { url, stop: async () => {} };
  const ofRun = postgresOfRun();
  if (ofRun !== undefined) return { url: await ownDatabase(ofRun), stop: async () => {} };
  return postgresCommand === undefined ? missing("PostgreSQL", "NIDUS_PG_URL") : startPostgres(settings);
}

function missing(server: string, variable: string): undefined {
  const message = `there is no ${server} to test with: install its server, or set ${variable}`;
  if (process.env.CI) throw new Error(message);
  console.error(`SKIPPED: ${message}`);
  return undefined;
}
