import { type PostgresServer, type RedisServer, startPostgres, startRedis } from "test-servers";

/** A Redis that may be killed, or undefined, with a loud word, where there is none. */
export const redisToKill = (): Promise<RedisServer | undefined> => orSkip(startRedis);

/** A PostgreSQL that may be killed, or undefined, with a loud word, where there is none. */
export const postgresToKill = (): Promise<PostgresServer | undefined> => orSkip(startPostgres);

/** @throws (rejects with) Error where `CI` is set and the server is not installed. */
async function orSkip<Server>(start: () => Promise<Server>): Promise<Server | undefined> {
  try {
    return await start();
  } catch (error) {
    if (process.env.CI || !/^there is no/.test((error as Error).message)) throw error;
    console.error(`SKIPPED: ${(error as Error).message}`);
    return undefined;
  }
}
