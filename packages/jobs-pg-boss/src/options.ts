import { requireBoolean } from "@nidus/jobs-core/adapter";
import {
  type EngineOptions,
  type RetentionOptions,
  requireEngineOptions,
  requireInRange,
  requireRetention,
} from "@nidus/jobs-durable/backend";
import type { PgBossLike } from "./database/pg-boss-like.ts";
import type { StorageSettings } from "./store/dialect.ts";

/** Options of every engine on pg-boss. */
export interface PgBossCommonOptions extends EngineOptions, RetentionOptions {
  /**
   * Milliseconds for which a job's lease holds without being renewed: a whole number from 1,000 to a day, rounded up to seconds. A
   * dead worker's job is delivered again within about twice this time. @default 30,000
   */
  readonly leaseMs?: number | undefined;
  /**
   * Milliseconds between two polls of an idle worker: a whole number from 50. Most jobs start without a poll. @default 500; 5,000, or
   * `leaseMs` if that is less, while the engine listens for notifications, as it does with `connectionString`
   */
  readonly pollIntervalMs?: number | undefined;
  /**
   * The database schema of pg-boss's tables: at most 50 lower-case letters, digits and underscores. It begins with no digit, and not
   * with "pg_". @default "pgboss"
   */
  readonly schema?: string | undefined;
}

/** Options of an engine with an embedded database, on PGlite. */
export interface PgBossEmbeddedOptions extends PgBossCommonOptions {
  /** The folder of the database. If it does not exist, the engine creates it for this user alone. One process uses it at a time. */
  readonly dataDir: string;
  readonly connectionString?: undefined;
  readonly boss?: undefined;
}

/** Options of an engine on a PostgreSQL server, through a pg-boss that the engine starts and stops. */
export interface PgBossServerOptions extends PgBossCommonOptions {
  /** The URL of the server, such as "postgres://user:password@host:5432/database". */
  readonly connectionString: string;
  /** The largest number of connections to the server: a whole number from 1. @default 10 */
  readonly maxConnections?: number | undefined;
  /**
   * Whether this process creates and migrates pg-boss's tables, removes ended jobs and takes expired leases back. Say false in a process that
   * only reads a store in use, such as one for the jobs page. Others do the upkeep, by their own retention. @default true
   */
  readonly upkeep?: boolean | undefined;
  readonly dataDir?: undefined;
  readonly boss?: undefined;
}

/** Options of an engine on a pg-boss that you start and stop. */
export interface OwnBossOptions extends PgBossCommonOptions {
  /** A started PgBoss of version 10 (from 10.4.2) or 12 (from 12.35.0). */
  readonly boss: PgBossLike;
  readonly dataDir?: undefined;
  readonly connectionString?: undefined;
}

/** Options of `pgBossEngine`: jobs are stored in a folder, on a server, or by your own pg-boss. */
export type PgBossEngineOptions = PgBossEmbeddedOptions | PgBossServerOptions | OwnBossOptions;

/** Milliseconds between two polls of an idle worker. */
export interface PollIntervals {
  /** While nothing tells it of jobs of other processes. */
  readonly alone: number;
  /** While it listens for notifications. */
  readonly listening: number;
}

/** Checked options, with their defaults. */
export interface EngineSettings extends StorageSettings {
  readonly polls: PollIntervals;
  readonly schema: string;
  readonly hasUpkeep: boolean;
}

const databaseOptions = ["dataDir", "connectionString", "boss"] as const;

const ownOptions = [
  ...databaseOptions,
  "maxConnections",
  "upkeep",
  "leaseMs",
  "pollIntervalMs",
  "schema",
  "retainSucceededMs",
  "retainDeadLettersMs",
];

/** The longest expiry that pg-boss 10 allows: a day. */
const maxLeaseMs = 24 * 60 * 60 * 1000;

/** The longest delay of a timer. */
const maxPollIntervalMs = 2 ** 31 - 1;

/** pg-boss stores retention in whole seconds of 32 bits. */
const maxRetentionMs = (2 ** 31 - 1) * 1000;

/**
 * Checks the options and adds the defaults.
 *
 * @throws TypeError or RangeError for an invalid option. The message never shows a value that may hold a password.
 */
export function engineSettings(options: PgBossEngineOptions): EngineSettings {
  requireEngineOptions(options, ownOptions);
  requireOneDatabase(options);
  const { leaseMs = 30_000, pollIntervalMs, schema = "pgboss" } = options;
  requireInRange("`leaseMs`", leaseMs, 1_000, maxLeaseMs);
  if (pollIntervalMs !== undefined) requireInRange("`pollIntervalMs`", pollIntervalMs, 50, maxPollIntervalMs);
  const { retainSucceededMs, retainDeadLettersMs } = requireRetention(options, maxRetentionMs);
  requireSchema(schema);
  return {
    schema,
    hasUpkeep: (options as PgBossServerOptions).upkeep ?? true,
    polls: {
      alone: pollIntervalMs ?? 500,
      // A dead worker's job is found by a poll, and should be within twice its lease.
      listening: pollIntervalMs ?? Math.min(5_000, leaseMs),
    },
    leaseSeconds: Math.ceil(leaseMs / 1000),
    retainSucceededSeconds: Math.ceil(retainSucceededMs / 1000),
    retainDeadLettersSeconds: Math.ceil(retainDeadLettersMs / 1000),
  };
}

/**
 * Checks the name of a schema. It stands unquoted in statements, as in pg-boss's own. PostgreSQL reserves names that begin with "pg_".
 *
 * @throws TypeError
 */
export function requireSchema(schema: string): void {
  if (typeof schema === "string" && /^(?!pg_)[a-z_][a-z0-9_]{0,49}$/.test(schema)) return;
  const expectation = 'a lower-case name of at most 50 characters that does not begin with "pg_"';
  throw redactedInvalidArgument("`schema`", expectation, schema);
}

function requireOneDatabase(options: PgBossEngineOptions): void {
  const given = databaseOptions.filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    const got = given.map((name) => `\`${name}\``).join(" and ") || "none";
    throw new TypeError(`expected one of \`dataDir\`, \`connectionString\` and \`boss\`, got ${got}`);
  }
  const { dataDir, connectionString, boss, maxConnections, upkeep } = options as unknown as Record<
    string,
    unknown
  >;
  if (dataDir !== undefined) {
    requireSecretText("`dataDir`", dataDir);
    // A connection string would become the name of a folder, and messages would show its password.
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(dataDir))
      throw redactedInvalidArgument("`dataDir`", "a folder", dataDir, "a URL");
  }
  if (connectionString !== undefined) requireSecretText("`connectionString`", connectionString);
  if (boss !== undefined && !isPgBoss(boss)) throw redactedInvalidArgument("`boss`", "a PgBoss", boss);
  for (const [name, value] of Object.entries({ maxConnections, upkeep })) {
    if (value !== undefined && connectionString === undefined)
      throw new TypeError(`\`${name}\` needs \`connectionString\``);
  }
  if (maxConnections !== undefined) requireInRange("`maxConnections`", maxConnections as number, 1);
  if (upkeep !== undefined) requireBoolean("`upkeep`", upkeep);
}

/** Recognises a PgBoss of any version. The version is checked later. */
function isPgBoss(boss: unknown): boolean {
  const { on, fetch, send } = (boss ?? {}) as Readonly<Record<string, unknown>>;
  return [on, fetch, send].every((method) => typeof method === "function");
}

function requireSecretText(what: string, text: unknown): asserts text is string {
  if (typeof text !== "string" || text === "")
    throw redactedInvalidArgument(what, "a non-empty string", text);
}

/** Makes the error for a value that may hold a password: the message tells only its type. */
function redactedInvalidArgument(
  what: string,
  expectation: string,
  received: unknown,
  kind: string = received === "" ? "an empty string" : received === null ? "null" : typeof received,
): TypeError {
  return new TypeError(`expected ${what} to be ${expectation}, got ${kind}`);
}
