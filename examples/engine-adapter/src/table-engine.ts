import type { EnqueuedJob, JobEngine, JobWithPayload } from "@nidus/jobs-durable";
import {
  createEngine,
  type EngineOptions,
  type RetentionOptions,
  requireEngineOptions,
  requireInRange,
  requireRetention,
  throttledWarning,
} from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "./sql-database.ts";
import { requireDatabase, TableBackend, type TableEnqueueOptions } from "./table-backend.ts";

/** Options of {@link tableEngine}. */
export interface TableEngineOptions extends EngineOptions, RetentionOptions {
  /** A PGlite of yours, which stays yours to close. */
  readonly db: SqlDatabase;
  /** Milliseconds after a worker's death in which its job is delivered again: a whole number from 100. @default 30,000 */
  readonly leaseMs?: number | undefined;
}

/** A JobEngine that also enqueues within the caller's transaction. */
export interface TableEngine extends JobEngine {
  enqueue<Input>(
    job: JobWithPayload<Input>,
    payload: NoInfer<Input>,
    options?: TableEnqueueOptions,
  ): Promise<EnqueuedJob>;
}

/**
 * Opens durable jobs in a table of your database, and creates the table if it is missing.
 *
 * @throws (rejects with) TypeError or RangeError for an option that is not as documented; the error of the database.
 */
export async function tableEngine(options: TableEngineOptions): Promise<TableEngine> {
  requireEngineOptions(options, ["db", "leaseMs", "retainSucceededMs", "retainDeadLettersMs"]);
  const { runner, name = "table", answerWithinMs, db, onError = throttledWarning(name) } = options;
  requireDatabase(db);
  const leaseMs = requireInRange("`leaseMs`", options.leaseMs ?? 30_000, 100);
  const retention = requireRetention(options);
  const backend = new TableBackend(db, { leaseMs, retention, onError });
  return createEngine(backend, { runner, name, answerWithinMs, onError }).start();
}
