export type { PgBossLike, SqlDatabase } from "./database/pg-boss-like.ts";
export { FolderInUseError } from "./embedded/folder-lock.ts";
export type { PgBossEnqueueOptions } from "./enqueue-options.ts";
export type { HandledJob } from "./observe/handled-job.ts";
export { observePgBossHandler, type PgBossHandlerOptions } from "./observe/observe-handler.ts";
export {
  observePgBossQueues,
  type PgBossQueuesLike,
  type PgBossQueuesOptions,
} from "./observe/observe-queues.ts";
export type {
  OwnBossOptions,
  PgBossCommonOptions,
  PgBossEmbeddedOptions,
  PgBossEngineOptions,
  PgBossServerOptions,
} from "./options.ts";
export { type PgBossEngine, pgBossEngine } from "./pg-boss-engine.ts";
export type { PgBossJobOptions } from "./store/pg-boss-job-options.ts";
