import { describe } from "@nidus/jobs-core";
import { EngineUnavailableError, withDeadline } from "@nidus/jobs-durable";
import * as pgBossModule from "pg-boss";
import { openEmbeddedDatabase } from "./embedded/embedded-database.ts";
import type { PgBossEngineOptions, Settings } from "./options.ts";
import type { Connection } from "./pg-boss-backend.ts";
import type { PgBossLike } from "./pg-boss-like.ts";

type PgBossConstructor = new (options: object) => PgBossLike;

/** Creating the tables takes some seconds on a slow machine, most of all embedded. */
const startWithinMs = 60_000;

const connectWithinMs = 5_000;

/** Longer than any statement of pg-boss takes, and short enough for a server that has gone silent. */
const queryWithinMs = 30_000;

/**
 * A pg-boss that is ready to be started, on a folder or on a server, or the caller's own, which is started already.
 *
 * @throws (rejects with) Error for a folder that is in use. Starting it rejects with an EngineUnavailableError naming the server,
 * and never its password.
 */
export async function connect(
  options: PgBossEngineOptions,
  settings: Settings,
  onError: (error: unknown) => void,
): Promise<Connection> {
  const { schema } = settings;
  if (options.boss !== undefined) {
    const { boss } = options;
    if (typeof boss?.getDb !== "function") throw discreetRefusal("`boss`", "a PgBoss", boss);
    const nothing = async (): Promise<void> => {};
    return { boss, schema, address: "your PgBoss", hasTransactions: true, start: nothing, close: nothing };
  }
  if (options.dataDir !== undefined) {
    requireText("`dataDir`", options.dataDir);
    const db = await openEmbeddedDatabase(options.dataDir);
    const own = { db, ...pgBossOptions(settings) };
    const connection = connectionOf(own, schema, options.dataDir, onError, () => db.close());
    return { ...connection, hasTransactions: false };
  }
  requireText("`connectionString`", options.connectionString);
  const { connectionString, maxConnections = 10 } = options;
  const database = {
    connectionString,
    max: maxConnections,
    connectionTimeoutMillis: connectWithinMs,
    query_timeout: queryWithinMs,
  };
  const own = { ...database, ...pgBossOptions(settings) };
  return connectionOf(own, schema, addressOf(connectionString), onError, async () => {});
}

function requireText(what: string, text: string): void {
  if (typeof text !== "string" || text === "") throw discreetRefusal(what, "a non-empty string", text);
}

/** Where what was received may hold a password, only its type is told. */
function discreetRefusal(what: string, expectation: string, received: unknown): TypeError {
  const kind = received === "" ? "an empty string" : received === null ? "null" : typeof received;
  return new TypeError(`expected ${what} to be ${expectation}, got ${kind}`);
}

/** What both majors understand, or leave aside. */
function pgBossOptions({
  schema,
  leaseSeconds,
  retainSucceededSeconds,
  retainDeadLettersSeconds,
}: Settings): object {
  // Twice within a lease, at most every 45 s, which is what pg-boss allows.
  const checkSeconds = Math.min(45, Math.max(1, Math.floor(leaseSeconds / 2)));
  return {
    schema,
    // How late a schedule may be, at the most: both are polled.
    cronMonitorIntervalSeconds: 10,
    cronWorkerIntervalSeconds: 2,
    // Version 10: jobs that have ended move to an archive, which is emptied soon after.
    archiveCompletedAfterSeconds: retainSucceededSeconds,
    archiveFailedAfterSeconds: retainDeadLettersSeconds,
    deleteAfterSeconds: 1,
    maintenanceIntervalSeconds: checkSeconds,
    // Version 12.
    superviseIntervalSeconds: checkSeconds,
    monitorIntervalSeconds: checkSeconds,
    // Its spans would be one for each poll.
    openTelemetry: { enabled: false },
  };
}

function connectionOf(
  options: object,
  schema: string,
  address: string,
  onError: (error: unknown) => void,
  closeDatabase: () => Promise<void>,
): Connection {
  // Version 10 is CommonJS, version 12 a module with names.
  const { PgBoss, default: PgBoss10 } = pgBossModule as unknown as Record<string, PgBossConstructor>;
  const boss = new ((PgBoss ?? PgBoss10) as PgBossConstructor)(options);
  boss.on("error", onError);
  const close = async (): Promise<void> => {
    await boss.stop({ graceful: false });
    await closeDatabase();
    boss.off("error", onError);
  };
  const start = async (): Promise<void> => {
    try {
      await withDeadline(boss.start(), startWithinMs, `PostgreSQL at ${address}`);
    } catch (error) {
      await close().catch(() => {});
      const what = isRefusal(error) ? "refuses the user or the password" : "is unreachable";
      throw new EngineUnavailableError(`PostgreSQL at ${address} ${what} (${describe(error)})`, {
        cause: error,
      });
    }
  };
  return { boss, schema, address, hasTransactions: true, start, close };
}

/** PostgreSQL's class of errors for invalid authorisation. */
function isRefusal(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith("28");
}

/** Host, port and database: what may be shown of a connection string. */
function addressOf(connectionString: string): string {
  try {
    const { protocol, host, pathname, search, hash } = new URL(connectionString);
    // A password with a slash or the like in it ends the host too early, and is then what follows.
    const isAsMeant = /^postgres(ql)?:$/.test(protocol) && !`${pathname}${search}${hash}`.includes("@");
    if (isAsMeant) return `${host}${pathname}`;
  } catch {
    // Neither is its text for an error message.
  }
  return "the given connection string";
}
