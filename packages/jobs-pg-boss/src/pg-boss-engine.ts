import type { JobEngine } from "@nidus/jobs-durable";
import { createEngine, type StartableEngine, throttledWarning } from "@nidus/jobs-durable/backend";
import { connect } from "./connection.ts";
import { type PgBossEngineOptions, settingsOf } from "./options.ts";
import { PgBossBackend, type PgBossEnqueueOptions } from "./pg-boss-backend.ts";

/** A JobEngine that also enqueues within the caller's own transaction. */
export type PgBossEngine = JobEngine<PgBossEnqueueOptions>;

/**
 * Durable jobs on pg-boss: embedded in a folder (`dataDir`, on PGlite), on a PostgreSQL server (`connectionString`), or on a
 * pg-boss that you have already (`boss`). Resolves when it is ready.
 *
 * @throws (rejects with) TypeError or RangeError for an option that is not as documented; EngineUnavailableError for a server that
 * is unreachable; FolderInUseError for a folder that another process has; Error with the code "NIDUS_PG_BOSS_VERSION" for a
 * pg-boss, or tables of one, that the engine does not know; Error with PostgreSQL's words and code for all else that it refuses.
 */
export async function pgBossEngine(options: PgBossEngineOptions): Promise<PgBossEngine> {
  const settings = settingsOf(options);
  const { runner, answerWithinMs, onError = throttledWarning() } = options;
  const connection = await connect(options, settings, onError);
  const backend = new PgBossBackend(connection, settings, settings.pollIntervalMs);
  let engine: StartableEngine<PgBossEnqueueOptions>;
  try {
    engine = createEngine(backend, { runner, answerWithinMs, onError });
  } catch (error) {
    // Nobody else can close what has been opened for it.
    await backend.close().catch(() => {});
    throw error;
  }
  return engine.start();
}
