export { FolderInUseError } from "./embedded/folder-lock.ts";
export type { HandledJob } from "./handled-job.ts";
export { observePgBossHandler } from "./observe-handler.ts";
export type {
  OwnBossOptions,
  PgBossCommonOptions,
  PgBossEmbeddedOptions,
  PgBossEngineOptions,
  PgBossServerOptions,
} from "./options.ts";
export type { PgBossEnqueueOptions } from "./pg-boss-backend.ts";
export { type PgBossEngine, pgBossEngine } from "./pg-boss-engine.ts";
export type { PgBossLike, SqlDatabase } from "./pg-boss-like.ts";
