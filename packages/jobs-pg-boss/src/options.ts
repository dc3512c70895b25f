import { refusal, requireWholeNumber } from "@nidus/jobs-core";
import { type DurableEngineOptions, defaultRetention, type RetentionOptions } from "@nidus/jobs-durable";
import type { StorageSettings } from "./dialect.ts";
import type { PgBossLike } from "./pg-boss-like.ts";

/** What an engine on pg-boss is told wherever its database is. */
export interface PgBossCommonOptions extends DurableEngineOptions, RetentionOptions {
  /**
   * Milliseconds after a worker's death in which its job is delivered again, at the latest about twice that: a whole number
   * from 1,000, rounded up to seconds. @default 30,000
   */
  readonly leaseMs?: number | undefined;
  /**
   * Milliseconds between two looks for work while there is none: a whole number from 50. What this process enqueues starts at
   * once. @default 500
   */
  readonly pollIntervalMs?: number | undefined;
  /** The database schema of pg-boss's tables. @default "pgboss" */
  readonly schema?: string | undefined;
}

/** A database of this process's own, on PGlite. */
export interface EmbeddedOptions extends PgBossCommonOptions {
  /** The folder in which it is kept; made for this user alone if it is not there. One process has it at a time. */
  readonly dataDir: string;
  readonly connectionString?: undefined;
  readonly boss?: undefined;
}

/** A PostgreSQL server, through a pg-boss that the engine starts and stops. */
export interface ServerOptions extends PgBossCommonOptions {
  /** Such as "postgres://user:password@host:5432/database". */
  readonly connectionString: string;
  /** How many connections are held at most: a whole number from 1. @default 10 */
  readonly maxConnections?: number | undefined;
  readonly dataDir?: undefined;
  readonly boss?: undefined;
}

/** A pg-boss of the caller's, started already, and stopped by the caller. */
export interface OwnBossOptions extends PgBossCommonOptions {
  /** A PgBoss of version 10 or 12, started. */
  readonly boss: PgBossLike;
  readonly dataDir?: undefined;
  readonly connectionString?: undefined;
}

/** Where the jobs are: in a folder, on a server, or with a pg-boss of the caller's. */
export type PgBossEngineOptions = EmbeddedOptions | ServerOptions | OwnBossOptions;

/** Options that are known to be good, with their defaults. */
export interface Settings extends StorageSettings {
  readonly pollIntervalMs: number;
  readonly schema: string;
}

/** @throws TypeError or RangeError for an option that is not as documented. */
export function settingsOf({
  leaseMs = 30_000,
  pollIntervalMs = 500,
  schema = "pgboss",
  retainSucceededMs = defaultRetention.retainSucceededMs,
  retainDeadLettersMs = defaultRetention.retainDeadLettersMs,
}: PgBossCommonOptions): Settings {
  requireAtLeast("`leaseMs`", leaseMs, 1_000);
  requireAtLeast("`pollIntervalMs`", pollIntervalMs, 50);
  requireWholeNumber("`retainSucceededMs`", retainSucceededMs);
  requireWholeNumber("`retainDeadLettersMs`", retainDeadLettersMs);
  // It stands unquoted in statements, as pg-boss has it.
  if (!/^[a-z_][a-z0-9_]{0,49}$/.test(schema)) {
    throw refusal("`schema`", "a lower-case name of at most 50 characters", schema);
  }
  return {
    schema,
    pollIntervalMs,
    leaseSeconds: Math.ceil(leaseMs / 1000),
    retainSucceededSeconds: Math.ceil(retainSucceededMs / 1000),
    retainDeadLettersSeconds: Math.ceil(retainDeadLettersMs / 1000),
  };
}

function requireAtLeast(what: string, value: number, least: number): void {
  requireWholeNumber(what, value);
  if (value < least) throw refusal(what, `at least ${least}`, value, RangeError);
}
