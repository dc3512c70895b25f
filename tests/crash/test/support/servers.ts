import { type PostgresServer, type RedisServer, startPostgres, startRedis } from "test-servers";

/** Starts a Redis that a test may kill. Resolves to undefined, with a warning, if it is not installed. */
export const redisToKill = (): Promise<RedisServer | undefined> => orSkip(startRedis);

/** Starts a PostgreSQL that a test may kill. Resolves to undefined, with a warning, if it is not installed. */
export const postgresToKill = (): Promise<PostgresServer | undefined> => orSkip(startPostgres);

/** @throws (rejects with) Error if `CI` is set and the server is not installed. */
async function orSkip<Server>(start: () => Promise<Server>): Promise<Server | undefined> {
  try {
    return await start();
  } catch (error) {
    if (process.env.CI || !/^there is no/.test((error as Error).message)) throw error;
    console.error(`SKIPPED: ${(error as Error).message}`);
    return undefined;
  }
}
