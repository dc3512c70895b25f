import { postgresCommand, startPostgres } from "./postgres-server.ts";

/** Tells the processes of a run where its server is. */
const variable = "NIDUS_PG_URL_OF_RUN";

/** A server of tests does not survive the machine, and need not wait for its disk. */
export const settings: readonly string[] = ["fsync=off", "full_page_writes=off"];

/**
 * Starts one PostgreSQL for all files of a run, since a server per file computes for most of a second. Each file gets a database of
 * its own on it. Vitest calls this before the tests of each project, and what it returns after all of them.
 */
export default async function startServers(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.NIDUS_PG_URL || postgresOfRun() !== undefined || postgresCommand === undefined)
    return undefined;
  const server = await startPostgres([...settings, "max_connections=1000"]);
  process.env[variable] = server.url;
  return async () => {
    delete process.env[variable];
    await server.stop();
  };
}

/** The URL of the server that this run started, if it did. */
export function postgresOfRun(): string | undefined {
  return process.env[variable] || undefined;
}
