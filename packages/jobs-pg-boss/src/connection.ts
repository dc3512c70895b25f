import { withDeadline } from "@nidus/jobs-durable/backend";
import * as pgBossModule from "pg-boss";
import { ConnectionSockets } from "./connection-sockets.ts";
import { openEmbeddedDatabase } from "./embedded/embedded-database.ts";
import type { PgBossEngineOptions, Settings } from "./options.ts";
import { isOutOfReach } from "./out-of-reach.ts";
import type { Connection } from "./pg-boss-backend.ts";
import type { PgBossLike, SqlDatabase } from "./pg-boss-like.ts";
import { requireMajor, requireStarted, requireTablesFor } from "./pg-boss-version.ts";
import { plainError, startError } from "./plain-error.ts";

type PgBossConstructor = new (options: object) => PgBossLike;

/** Creating the tables takes some seconds on a slow machine, most of all embedded. */
const startWithinMs = 60_000;

const connectWithinMs = 5_000;

/** Longer than any statement of pg-boss takes, and short enough for a server that has gone silent. */
const queryWithinMs = 30_000;

/** How long the server has to answer what was asked before the end. Half of the time that a call waits, if that is less. */
const closeWithinMs = 2_000;

/**
 * A pg-boss that is ready to be started, on a folder or on a server, or the caller's own, which is started already.
 *
 * @throws (rejects with) Error for a folder that is in use, or a pg-boss of another version.
 */
export async function connect(
  options: PgBossEngineOptions,
  settings: Settings,
  onError: (error: unknown) => void,
): Promise<Connection> {
  const { schema } = settings;
  if (options.boss !== undefined) {
    const { boss } = options;
    const major = requireMajor(boss);
    const address = "your PgBoss";
    const start = async (): Promise<void> => {
      try {
        await withDeadline(requireStarted(boss, schema, major), startWithinMs, address);
      } catch (error) {
        throw startError(error, address);
      }
    };
    return { boss, schema, address, hasTransactions: true, start, close: async () => {} };
  }
  const { answerWithinMs = Number.POSITIVE_INFINITY } = options;
  const owned = { schema, onError, closeWithinMs: Math.min(closeWithinMs, answerWithinMs / 2) };
  if (options.dataDir !== undefined) {
    const db = await openEmbeddedDatabase(options.dataDir);
    const place = {
      ...owned,
      address: options.dataDir,
      hasTransactions: false,
      closeDatabase: () => db.close(),
    };
    try {
      return connectionOf({ db, ...pgBossOptions(settings) }, place, new ConnectionSockets());
    } catch (error) {
      await db.close();
      throw error;
    }
  }
  const { connectionString, maxConnections = 10 } = options;
  const sockets = new ConnectionSockets();
  const database = {
    connectionString,
    max: maxConnections,
    connectionTimeoutMillis: connectWithinMs,
    query_timeout: queryWithinMs,
    stream: sockets.create,
  };
  const place = {
    ...owned,
    address: addressOf(connectionString),
    hasTransactions: true,
    closeDatabase: async () => {},
  };
  return connectionOf({ ...database, ...pgBossOptions(settings) }, place, sockets);
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

interface Place {
  readonly schema: string;
  /** Undefined if a connection string may have its password anywhere. */
  readonly address: string | undefined;
  readonly hasTransactions: boolean;
  readonly closeWithinMs: number;
  onError(error: unknown): void;
  closeDatabase(): Promise<void>;
}

/** pg-boss's own database, which it opens when it starts, or the embedded one. */
interface PoolLike extends SqlDatabase {
  readonly opened?: boolean;
  open?(): Promise<void>;
  close?(): Promise<void>;
}

function connectionOf(options: object, place: Place, sockets: ConnectionSockets): Connection {
  const { schema, hasTransactions } = place;
  const address = place.address ?? "the given connection string";
  // Version 10 is CommonJS, version 12 a module with names.
  const { PgBoss, default: PgBoss10 } = pgBossModule as unknown as Record<string, PgBossConstructor>;
  const boss = new ((PgBoss ?? PgBoss10) as PgBossConstructor)(options);
  const major = requireMajor(boss);
  const db: PoolLike = boss.getDb();
  let isClosing = false;
  // It stays: an error that nobody hears would end the process, and those of ended connections come late.
  boss.on("error", (error) => {
    if (!isClosing) place.onError(plainError(error));
  });
  const stop = async (): Promise<void> => {
    await boss.stop({ graceful: false });
    // A pg-boss 10 that could not start does not stop.
    if (db.opened) await db.close?.();
    await sockets.closed();
  };
  const close = async (): Promise<void> => {
    isClosing = true;
    const timer = setTimeout(() => sockets.destroy(), place.closeWithinMs);
    try {
      await stop();
    } catch (error) {
      // An unreachable server has nothing left to let go of.
      if (!isOutOfReach(error)) throw error;
    } finally {
      clearTimeout(timer);
      sockets.destroy();
      await place.closeDatabase();
    }
  };
  const open = async (): Promise<void> => {
    if (!db.opened) await db.open?.();
    await requireTablesFor(boss, schema, major);
    await boss.start();
    await requireStarted(boss, schema, major);
  };
  const start = async (): Promise<void> => {
    try {
      await withDeadline(open(), startWithinMs, `PostgreSQL at ${address}`);
    } catch (error) {
      await close().catch(() => {});
      throw startError(error, place.address === undefined ? undefined : `PostgreSQL at ${address}`);
    }
  };
  return { boss, schema, address, hasTransactions, start, close };
}

/** Host, port and database: what may be shown of a connection string. Undefined if it is not of the usual form. */
function addressOf(connectionString: string): string | undefined {
  try {
    const { protocol, host, pathname, search, hash } = new URL(connectionString);
    // A password with a slash or the like in it ends the host too early, and is then what follows.
    const isAsMeant = /^postgres(ql)?:$/.test(protocol) && !`${pathname}${search}${hash}`.includes("@");
    if (isAsMeant) return `${host}${pathname}`;
  } catch {
    // Neither is its text for an error message.
  }
  return undefined;
}
