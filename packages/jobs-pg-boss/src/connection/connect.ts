import type { Socket } from "node:net";
import { withDeadline } from "@nidus/jobs-durable/backend";
import pg from "pg";
import { columnTypes } from "../database/column-types.ts";
import type { PgBossLike } from "../database/pg-boss-like.ts";
import { openEmbeddedDatabase } from "../embedded/embedded-database.ts";
import type { EngineSettings, PgBossEngineOptions } from "../options.ts";
import type { Connection } from "./connection.ts";
import { ConnectionSockets } from "./connection-sockets.ts";
import { createOwnedBoss, startWithinMs } from "./owned-boss.ts";
import { type PgBossMajor, requireMajor, requireStarted } from "./pg-boss-version.ts";
import { requireSettings } from "./session-settings.ts";
import { startError } from "./start-error.ts";

const connectWithinMs = 5_000;

/** Longer than any statement of pg-boss takes, and short enough to notice a server that no longer answers. */
const queryWithinMs = 30_000;

/** How long the server may take to answer open queries at the end: half of `answerWithinMs`, if that is less. */
const closeWithinMs = 2_000;

/**
 * Prepares a pg-boss on a folder or on a server, or takes the caller's own, which has started already.
 *
 * @throws (rejects with) Error if the folder is in use, or if pg-boss has an unknown version.
 */
export async function connect(
  options: PgBossEngineOptions,
  settings: EngineSettings,
  onError: (error: unknown) => void,
): Promise<Connection> {
  if (options.boss !== undefined) return connectionOfCaller(options.boss, settings.schema);
  const { answerWithinMs = Number.POSITIVE_INFINITY } = options;
  const common = { onError, closeWithinMs: Math.min(closeWithinMs, answerWithinMs / 2) };
  if (options.dataDir !== undefined) {
    const database = await openEmbeddedDatabase(options.dataDir);
    try {
      return createOwnedBoss({ db: database }, settings, {
        ...common,
        address: options.dataDir,
        hasTransactions: false,
        sockets: new ConnectionSockets(),
        closeDatabase: () => database.close(),
      });
    } catch (error) {
      await database.close();
      throw error;
    }
  }
  const { connectionString, maxConnections = 10 } = options;
  const sockets = new ConnectionSockets();
  const poolOptions = {
    connectionString,
    max: maxConnections,
    connectionTimeoutMillis: connectWithinMs,
    query_timeout: queryWithinMs,
    stream: sockets.create,
    types: columnTypes,
  };
  const connection = createOwnedBoss(poolOptions, settings, {
    ...common,
    address: addressOf(connectionString),
    hasTransactions: true,
    sockets,
    closeDatabase: async () => {},
  });
  const createClient = (): { readonly client: pg.Client; readonly socket: Socket } => {
    const socket = sockets.create();
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: connectWithinMs,
      keepAlive: true,
      stream: () => socket,
    });
    return { client, socket };
  };
  return { ...connection, createClient };
}

async function requireUsable(boss: PgBossLike, schema: string, major: PgBossMajor): Promise<void> {
  await requireStarted(boss, schema, major);
  await requireSettings(boss);
}

function connectionOfCaller(boss: PgBossLike, schema: string): Connection {
  const major = requireMajor(boss);
  const address = "the database of your PgBoss";
  const start = async (): Promise<void> => {
    try {
      await withDeadline(requireUsable(boss, schema, major), startWithinMs, address);
    } catch (error) {
      throw startError(error, address);
    }
  };
  return { boss, schema, address, hasTransactions: true, start, close: async () => {} };
}

/** Reads host, port and database from a connection string. Returns undefined if the string is not of the usual form. */
function addressOf(connectionString: string): string | undefined {
  try {
    const { protocol, host, pathname, search, hash } = new URL(connectionString);
    // An unescaped slash in the password ends the host too early: the rest of the password then follows it.
    const isUsual = /^postgres(ql)?:$/.test(protocol) && !`${pathname}${search}${hash}`.includes("@");
    if (isUsual) return `${host}${pathname}`;
  } catch {
    // The error's text may hold the password.
  }
  return undefined;
}
