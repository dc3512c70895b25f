import type { EnqueueOptions } from "@nidus/jobs-durable";
import type { SqlDatabase } from "./database/pg-boss-like.ts";
import type { PgBossJobOptions } from "./store/pg-boss-job-options.ts";

/** Says how a job is enqueued with pg-boss. */
export interface PgBossEnqueueOptions extends EnqueueOptions {
  /** Your transaction: the job is stored if you commit it. @default a connection of the engine */
  readonly db?: SqlDatabase | undefined;
  /** Options that only pg-boss has. */
  readonly pgBoss?: PgBossJobOptions | undefined;
}
