import { withDeadline } from "@nidus/jobs-durable/backend";
import * as pgBossModule from "pg-boss";
import type { PgBossLike, SqlDatabase } from "../database/pg-boss-like.ts";
import { isUnreachable } from "../database/unreachable.ts";
import type { EngineSettings } from "../options.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionSockets } from "./connection-sockets.ts";
import { requireMajor, requireStarted, requireTablesFor } from "./pg-boss-version.ts";
import { requireSettings } from "./session-settings.ts";
import { redactedError, startError } from "./start-error.ts";

/** Creating the tables takes some seconds on a slow machine, most of all in an embedded database. */
export const startWithinMs = 60_000;

/** The database of a pg-boss that the engine makes, starts and stops. */
export interface OwnedDatabase {
  /** Undefined if the connection string may have its password anywhere. */
  readonly address: string | undefined;
  readonly hasTransactions: boolean;
  readonly closeWithinMs: number;
  readonly sockets: ConnectionSockets;
  onError(error: unknown): void;
  closeDatabase(): Promise<void>;
}

type PgBossConstructor = new (options: object) => PgBossLike;

/** The pool that pg-boss opens when it starts, or the embedded database. */
interface PoolLike extends SqlDatabase {
  readonly opened?: boolean;
  open?(): Promise<void>;
  close?(): Promise<void>;
}

/**
 * Makes a pg-boss that the engine starts and stops.
 *
 * @throws Error if pg-boss has an unknown version.
 */
export function createOwnedBoss(
  databaseOptions: object,
  settings: EngineSettings,
  database: OwnedDatabase,
): Connection {
  const { schema } = settings;
  const { hasTransactions, sockets } = database;
  const address = database.address ?? "the given connection string";
  // Version 10 is CommonJS, version 12 a module with names.
  const { PgBoss, default: PgBoss10 } = pgBossModule as unknown as Record<string, PgBossConstructor>;
  const Constructor = (PgBoss ?? PgBoss10) as PgBossConstructor;
  const boss = new Constructor({ ...databaseOptions, ...pgBossOptions(settings) });
  const major = requireMajor(boss);
  const db: PoolLike = boss.getDb();
  let isClosing = false;
  // The listener stays: an error without a listener would end the process, and errors of closed connections come late.
  boss.on("error", (error) => {
    if (!isClosing) database.onError(redactedError(error));
  });
  const stop = async (): Promise<void> => {
    await boss.stop({ graceful: false });
    // A pg-boss 10 that could not start does not stop.
    if (db.opened) await db.close?.();
    await sockets.closed();
  };
  const close = async (): Promise<void> => {
    isClosing = true;
    const timer = setTimeout(() => sockets.destroy(), database.closeWithinMs);
    try {
      await stop();
    } catch (error) {
      // An unreachable server holds nothing that could be closed.
      if (!isUnreachable(error)) throw error;
    } finally {
      clearTimeout(timer);
      sockets.destroy();
      await database.closeDatabase();
    }
  };
  const open = async (): Promise<void> => {
    if (!db.opened) await db.open?.();
    await requireSettings(boss);
    await requireTablesFor(boss, schema, major);
    // A pg-boss that is not started runs statements all the same, and does no more.
    if (settings.hasUpkeep) await boss.start();
    await requireStarted(boss, schema, major);
  };
  const start = async (): Promise<void> => {
    try {
      await withDeadline(open(), startWithinMs, `PostgreSQL at ${address}`);
    } catch (error) {
      await close().catch(() => {});
      throw startError(error, database.address === undefined ? undefined : `PostgreSQL at ${address}`);
    }
  };
  return { boss, schema, address, hasTransactions, start, close };
}

/** Returns options of both majors: each ignores those of the other. */
function pgBossOptions({
  schema,
  leaseSeconds,
  retainSucceededSeconds,
  retainDeadLettersSeconds,
}: EngineSettings): object {
  // Twice within a lease, and at least every 45 s: pg-boss allows no longer interval.
  const checkSeconds = Math.min(45, Math.max(1, Math.floor(leaseSeconds / 2)));
  return {
    schema,
    // Schedules need none of pg-boss's timers: the delivery of one run stores the next.
    schedule: false,
    // Version 10: jobs that have ended move to an archive, which is emptied soon after.
    archiveCompletedAfterSeconds: retainSucceededSeconds,
    archiveFailedAfterSeconds: retainDeadLettersSeconds,
    deleteAfterSeconds: 1,
    maintenanceIntervalSeconds: checkSeconds,
    // Version 12.
    superviseIntervalSeconds: checkSeconds,
    monitorIntervalSeconds: checkSeconds,
    // pg-boss would make a span for each poll.
    openTelemetry: { enabled: false },
  };
}
