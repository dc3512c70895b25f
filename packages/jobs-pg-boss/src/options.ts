import {
  type EngineOptions,
  type RetentionOptions,
  requireEngineOptions,
  requireInRange,
  requireRetention,
} from "@nidus/jobs-durable/backend";
import type { StorageSettings } from "./dialect.ts";
import type { PgBossLike } from "./pg-boss-like.ts";

/** What an engine on pg-boss is told wherever its database is. */
export interface PgBossCommonOptions extends EngineOptions, RetentionOptions {
  /**
   * Milliseconds after a worker's death in which its job is delivered again, at the latest about twice that: a whole number
   * from 1,000 to a day, rounded up to seconds. @default 30,000
   */
  readonly leaseMs?: number | undefined;
  /**
   * Milliseconds between two looks for work while there is none: a whole number from 50. What this process enqueues starts at
   * once. @default 500
   */
  readonly pollIntervalMs?: number | undefined;
  /**
   * The database schema of pg-boss's tables: lower-case letters, digits and underscores, at most 50 and no digit first, not
   * beginning with "pg_". @default "pgboss"
   */
  readonly schema?: string | undefined;
}

/** A database of this process's own, on PGlite. */
export interface PgBossEmbeddedOptions extends PgBossCommonOptions {
  /** The folder in which it is kept; made for this user alone if it is not there. One process has it at a time. */
  readonly dataDir: string;
  readonly connectionString?: undefined;
  readonly boss?: undefined;
}

/** A PostgreSQL server, through a pg-boss that the engine starts and stops. */
export interface PgBossServerOptions extends PgBossCommonOptions {
  /** Such as "postgres://user:password@host:5432/database". */
  readonly connectionString: string;
  /** How many connections are held at most: a whole number from 1. @default 10 */
  readonly maxConnections?: number | undefined;
  readonly dataDir?: undefined;
  readonly boss?: undefined;
}

/** A pg-boss of the caller's, started already, and stopped by the caller. */
export interface OwnBossOptions extends PgBossCommonOptions {
  /** A PgBoss of version 10 (from 10.4.2) or 12 (from 12.35.0), started. */
  readonly boss: PgBossLike;
  readonly dataDir?: undefined;
  readonly connectionString?: undefined;
}

/** Where the jobs are: in a folder, on a server, or with a pg-boss of the caller's. */
export type PgBossEngineOptions = PgBossEmbeddedOptions | PgBossServerOptions | OwnBossOptions;

/** Options that are known to be good, with their defaults. */
export interface Settings extends StorageSettings {
  readonly pollIntervalMs: number;
  readonly schema: string;
}

const places = ["dataDir", "connectionString", "boss"] as const;

const ownOptions = [
  ...places,
  "maxConnections",
  "leaseMs",
  "pollIntervalMs",
  "schema",
  "retainSucceededMs",
  "retainDeadLettersMs",
];

/** The longest expiry that pg-boss 10 takes: a day. */
const maxLeaseMs = 24 * 60 * 60 * 1000;

/** What a timer takes. */
const maxPollIntervalMs = 2 ** 31 - 1;

/** Retention is stored as whole seconds of 32 bits. */
const maxRetentionMs = (2 ** 31 - 1) * 1000;

/** @throws TypeError or RangeError for an option that is not as documented. It never shows what may hold a password. */
export function settingsOf(options: PgBossEngineOptions): Settings {
  requireEngineOptions(options, ownOptions);
  requirePlace(options);
  const { leaseMs = 30_000, pollIntervalMs = 500, schema = "pgboss" } = options;
  requireInRange("`leaseMs`", leaseMs, 1_000, maxLeaseMs);
  requireInRange("`pollIntervalMs`", pollIntervalMs, 50, maxPollIntervalMs);
  const { retainSucceededMs, retainDeadLettersMs } = requireRetention(options, maxRetentionMs);
  // It stands unquoted in statements, as pg-boss has it. Names that begin with "pg_" are PostgreSQL's.
  if (typeof schema !== "string" || !/^(?!pg_)[a-z_][a-z0-9_]{0,49}$/.test(schema)) {
    const expectation = 'a lower-case name of at most 50 characters that does not begin with "pg_"';
    throw redactedInvalidArgument("`schema`", expectation, schema);
  }
  return {
    schema,
    pollIntervalMs,
    leaseSeconds: Math.ceil(leaseMs / 1000),
    retainSucceededSeconds: Math.ceil(retainSucceededMs / 1000),
    retainDeadLettersSeconds: Math.ceil(retainDeadLettersMs / 1000),
  };
}

function requirePlace(options: PgBossEngineOptions): void {
  const given = places.filter((place) => options[place] !== undefined);
  if (given.length !== 1) {
    const got = given.map((place) => `\`${place}\``).join(" and ") || "none";
    throw new TypeError(`expected one of \`dataDir\`, \`connectionString\` and \`boss\`, got ${got}`);
  }
  const { dataDir, connectionString, boss, maxConnections } = options as unknown as Record<string, unknown>;
  if (dataDir !== undefined) {
    requireSecretText("`dataDir`", dataDir);
    // A connection string in its place would become the name of a folder, and be shown.
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(dataDir))
      throw redactedInvalidArgument("`dataDir`", "a folder", dataDir, "a URL");
  }
  if (connectionString !== undefined) requireSecretText("`connectionString`", connectionString);
  if (boss !== undefined && !isPgBoss(boss)) throw redactedInvalidArgument("`boss`", "a PgBoss", boss);
  if (maxConnections === undefined) return;
  if (connectionString === undefined)
    throw new TypeError("`maxConnections` goes with `connectionString` alone");
  requireInRange("`maxConnections`", maxConnections as number, 1);
}

/** Of any version: which one is a question of its own. */
function isPgBoss(boss: unknown): boolean {
  const { on, fetch, send } = (boss ?? {}) as Readonly<Record<string, unknown>>;
  return [on, fetch, send].every((method) => typeof method === "function");
}

function requireSecretText(what: string, text: unknown): asserts text is string {
  if (typeof text !== "string" || text === "")
    throw redactedInvalidArgument(what, "a non-empty string", text);
}

/** If what was received may hold a password, only its type is told. */
function redactedInvalidArgument(
  what: string,
  expectation: string,
  received: unknown,
  kind: string = received === "" ? "an empty string" : received === null ? "null" : typeof received,
): TypeError {
  return new TypeError(`expected ${what} to be ${expectation}, got ${kind}`);
}
