import type { NewJob } from "@nidus/jobs-durable/backend";
import type { Row } from "../../src/database/run-sql.ts";
import type { PgBossLike, SqlDatabase } from "../../src/index.ts";
import { PgBossBackend } from "../../src/pg-boss-backend.ts";
import { type StartedBoss, startBoss, type versions } from "./start-boss.ts";

/** Carries a statement to the database: `run` runs it. */
export type Link = (text: string, run: () => Promise<{ rows: Row[] }>) => Promise<{ rows: Row[] }>;

/** A store, with a link to its database that a test can break. */
export interface OpenedStore {
  readonly boss: StartedBoss;
  /** The pg-boss to pass to an engine: its statements go over the link. */
  readonly linked: PgBossLike;
  readonly schema: string;
  link: Link;
  /** Another process's view of the same store. @default a lease of 30 seconds */
  backend(leaseSeconds?: number): PgBossBackend;
  query(text: string, values?: unknown[]): Promise<Row[]>;
  /** Ends a lease as pg-boss does when it finds it expired. */
  expire(id: string): Promise<void>;
  /** Has pg-boss look for expired leases of a queue, as if so many seconds had passed since the leases began. */
  lookForExpired(queue: string, afterSeconds: number): Promise<void>;
  close(): Promise<void>;
}

export async function openStore(
  version: (typeof versions)[number],
  connectionString: string,
): Promise<OpenedStore> {
  const schema = `store_${crypto.randomUUID().replaceAll("-", "")}`;
  const boss = await startBoss(version, connectionString, schema);
  const own = boss.getDb();
  const db: SqlDatabase = {
    executeSql: (text, values) => store.link(text, () => own.executeSql(text, values)),
  };
  const linked = new Proxy<PgBossLike>(boss, {
    get(target, key) {
      const value = key === "getDb" ? () => db : Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const nothing = async (): Promise<void> => {};
  const settings = {
    schema,
    hasUpkeep: true,
    polls: { alone: 50, listening: 50 },
    retainSucceededSeconds: 3600,
    retainDeadLettersSeconds: 3600,
  };
  const connection = {
    boss: linked,
    schema,
    address: "",
    hasTransactions: true,
    start: nothing,
    close: nothing,
  };
  const store: OpenedStore = {
    boss,
    linked,
    schema,
    link: (_text, run) => run(),
    backend: (leaseSeconds = 30) => new PgBossBackend(connection, { ...settings, leaseSeconds }),
    query: async (text, values) => (await own.executeSql(text, values)).rows,
    async expire(id) {
      const expired = `UPDATE ${schema}.job SET output = '{"value":{"message":"job timed out"}}',
        completed_on = CASE WHEN retry_count < retry_limit THEN NULL::timestamptz ELSE now() END,
        state = (CASE WHEN retry_count < retry_limit THEN 'retry' ELSE 'failed' END)::${schema}.job_state
        WHERE id = $1 AND state = 'active'`;
      await own.executeSql(expired, [id]);
    },
    async lookForExpired(queue, afterSeconds) {
      const earlier = `UPDATE ${schema}.job SET started_on = started_on - $1 * interval '1 second' WHERE state = 'active'`;
      await own.executeSql(earlier, [afterSeconds]);
      await (boss.maintain?.() ?? boss.supervise?.(queue));
    },
    close: () => boss.stop({ graceful: false }),
  };
  return store;
}

let made = 0;

/** Makes a job as an engine passes it to a backend. */
export function newJob(name: string, more: Partial<NewJob> = {}): NewJob {
  made++;
  return {
    id: crypto.randomUUID(),
    name,
    envelopeText: JSON.stringify({ payload: made }),
    runAt: undefined,
    maxAttempts: 3,
    hasIdempotencyKey: false,
    ...{ priority: 0, uniqueKey: undefined, uniqueForMs: undefined, retainMs: undefined },
    ...more,
  };
}
