import type { JobEngine } from "@nidus/jobs-durable";
import {
  createEngine,
  neverThrowing,
  type StartableEngine,
  throttledWarning,
} from "@nidus/jobs-durable/backend";
import { connect } from "./connection/connect.ts";
import type { PgBossEnqueueOptions } from "./enqueue-options.ts";
import { engineSettings, type PgBossEngineOptions } from "./options.ts";
import { PgBossBackend } from "./pg-boss-backend.ts";

/** A JobEngine that can also enqueue in your transaction. */
export type PgBossEngine = JobEngine<PgBossEnqueueOptions>;

/**
 * Opens an engine on pg-boss: embedded in a folder (`dataDir`, on PGlite), on a PostgreSQL server (`connectionString`), or on your
 * own pg-boss (`boss`). Resolves when the engine is ready.
 *
 * @throws (rejects with) TypeError or RangeError for an invalid option; EngineUnavailableError if the server is unreachable;
 * FolderInUseError if another process uses the folder; Error with the code "NIDUS_PG_BOSS_VERSION" if the engine does not know the
 * version of pg-boss or of its tables; Error with the code "NIDUS_POSTGRESQL_SETTINGS" if a setting of the server, or a parser of your
 * pg-boss, keeps the engine from reading its jobs; Error with PostgreSQL's message and code if PostgreSQL refuses something else.
 */
export async function pgBossEngine(options: PgBossEngineOptions): Promise<PgBossEngine> {
  const settings = engineSettings(options);
  const { runner, name = "pg-boss", answerWithinMs } = options;
  // Listeners of pg-boss and of sockets call it, too: what it throws there would end the process.
  const onError = neverThrowing(options.onError ?? throttledWarning(name));
  const connection = await connect(options, settings, onError);
  const backend = new PgBossBackend(connection, settings, onError);
  let engine: StartableEngine<PgBossEnqueueOptions>;
  try {
    engine = createEngine(backend, { runner, name, answerWithinMs, onError });
  } catch (error) {
    // The caller got no engine to close.
    await backend.close().catch(() => {});
    throw error;
  }
  return engine.start();
}
