import pg from "pg";
import { expect, vi } from "vitest";
import type { Row } from "../../src/database/run-sql.ts";
import type * as index from "../../src/index.ts";
import type { PgBossLike, SqlDatabase } from "../../src/index.ts";
import type { versions } from "./start-boss.ts";

type PgBossConstructor = new (options: object) => PgBossLike;

/** Polls so seldom that only notifications find jobs within a test. */
export const neverPolls: number = 24 * 60 * 60 * 1000;

/** The statements that engines ran since they were opened, of engines that `loadEngine` made. */
export const statements: string[] = [];

/** Loads the package with a version of pg-boss whose statements are kept. */
export async function loadEngine(version: (typeof versions)[number]): Promise<typeof index> {
  vi.resetModules();
  vi.doMock("pg-boss", async () => {
    const Original = (
      version === 10
        ? (await vi.importActual<{ default: unknown }>("pg-boss")).default
        : (await import("pg-boss-12")).PgBoss
    ) as PgBossConstructor;
    const recorded = new WeakSet<SqlDatabase>();
    class Recorded extends Original {
      override getDb(): SqlDatabase {
        const own = super.getDb();
        if (recorded.has(own)) return own;
        const db = new Proxy(own, {
          get(db, key) {
            const value = Reflect.get(db, key, db);
            if (typeof value !== "function") return value;
            return (...args: unknown[]) => {
              if (key === "executeSql") statements.push(String(args[0]));
              return value.apply(db, args);
            };
          },
        });
        recorded.add(db);
        return db;
      }
    }
    return { default: version === 10 ? Recorded : undefined, PgBoss: version === 12 ? Recorded : undefined };
  });
  return import("../../src/index.ts");
}

/** A user's own connection to the server, beside the engines. */
export class OtherConnection {
  readonly client: pg.Client;

  private constructor(client: pg.Client) {
    this.client = client;
  }

  static async open(connectionString: string): Promise<OtherConnection> {
    const client = new pg.Client({ connectionString });
    await client.connect();
    return new OtherConnection(client);
  }

  get db(): SqlDatabase {
    return { executeSql: (text, values) => this.client.query(text, values) };
  }

  async query(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query(text, values)).rows;
  }

  /** The process ids of the connections that listen for jobs of a schema. */
  async listeners(schema: string): Promise<number[]> {
    // A connection that listens does nothing else, so LISTEN stays its last statement.
    const text = "SELECT pid FROM pg_stat_activity WHERE query = $1 AND state = 'idle' ORDER BY pid";
    return (await this.query(text, [`LISTEN nidus_${schema}`])).map(({ pid }) => pid as number);
  }

  /** Resolves to the connections that listen for jobs of a schema, once there are so many. */
  async listening(schema: string, count: number): Promise<number[]> {
    await expect.poll(() => this.listeners(schema)).toHaveLength(count);
    return this.listeners(schema);
  }

  /** The process ids of the connections that await ends of jobs in a queue. */
  async awaiting(schema: string, queue: string): Promise<number[]> {
    const key = "hashtextextended($1, 0)";
    const text = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
      AND (classid::bigint << 32 | objid::bigint) = ${key}`;
    return (await this.query(text, [`nidus_${schema}_ends ${queue}`])).map(({ pid }) => pid as number);
  }

  close(): Promise<void> {
    return this.client.end();
  }
}
