import type { PgBossLike } from "../database/pg-boss-like.ts";
import type { ListenerSetUp } from "./subscription.ts";

/** A pg-boss, its schema and its address, with the functions that start it and close what was opened for it. */
export interface Connection {
  readonly boss: PgBossLike;
  readonly schema: string;
  /** Host, port and database, or the folder. It has no user and no password. */
  readonly address: string;
  /** Whether callers can open a transaction in the same database. */
  readonly hasTransactions: boolean;
  /** Makes the client of a connection that listens for notifications. Undefined if the engine only polls. */
  readonly createClient?: ListenerSetUp["createClient"] | undefined;
  /**
   * Starts pg-boss and checks its tables.
   *
   * @throws (rejects with) EngineUnavailableError if the server is unreachable. Everything is closed then.
   */
  start(): Promise<void>;
  /** Closes what was opened for the engine. */
  close(): Promise<void>;
}
