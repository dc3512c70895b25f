import { inspect } from "node:util";
import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { type PgBossEngine, pgBossEngine, type SqlDatabase } from "../../src/index.ts";
import { type OpenedStore, openStore } from "../support/open-backend.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await postgres?.stop();
});

const job = defineJob<unknown>({ name: "order", run() {} });

interface Opened extends OpenedStore {
  readonly engine: PgBossEngine;
  /** Begins a transaction whose snapshot is taken before anything else happens. */
  begin(isolation: string): Promise<SqlDatabase & { end(how: "COMMIT" | "ROLLBACK"): Promise<void> }>;
  stored(): Promise<number>;
  deleteQueue(): Promise<unknown>;
}

async function open(version: (typeof versions)[number]): Promise<Opened> {
  const store = await openStore(version, connectionString);
  const engine = await pgBossEngine({
    runner: new ObservedJobRunner(),
    boss: store.linked,
    schema: store.schema,
  });
  closing.push(store.close, () => engine.close());
  return Object.assign(store, {
    engine,
    async begin(isolation: string) {
      const client = new pg.Client({ connectionString });
      await client.connect();
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
      await client.query("SELECT count(*) FROM pg_class");
      return {
        executeSql: (text: string, values?: unknown[]) => client.query(text, values),
        async end(how: string) {
          await client.query(how);
          await client.end();
        },
      };
    },
    async deleteQueue() {
      // pg-boss 10 deletes empty queues alone.
      await store.query(`DELETE FROM ${store.schema}.job`);
      await store.boss.deleteQueue(job.name);
    },
    stored: async () => (await engine.stats()).byName.order?.waiting ?? 0,
  });
}

/** All ways to enqueue, with the number of jobs that each stores. */
async function enqueueAll(engine: PgBossEngine, db: SqlDatabase | undefined, key: string): Promise<number> {
  const options = db === undefined ? {} : { db };
  const answers = [
    await engine.enqueue(job, 1, options),
    await engine.enqueue(job, 2, { ...options, idempotencyKey: `${key} one` }),
    ...(await engine.enqueueMany(job, [3, 4], options)),
    ...(await engine.enqueueMany(job, [5, 6], { ...options, idempotencyKey: `${key} many` })),
  ];
  expect(answers.map(({ isDuplicate }) => isDuplicate)).toEqual(Array(6).fill(false));
  return answers.length;
}

describe.skipIf(postgres === undefined).each(versions)("storing jobs, on pg-boss %i", (version) => {
  it.each(["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])(
    "stores the first jobs of a name with the caller's transaction, %s",
    async (isolation) => {
      const { engine, begin, stored } = await open(version);
      const rolledBack = await begin(isolation);
      await enqueueAll(engine, rolledBack, "a");
      await rolledBack.end("ROLLBACK");
      expect(await stored()).toBe(0);
      const committed = await begin(isolation);
      const count = await enqueueAll(engine, committed, "a");
      expect(await stored()).toBe(0);
      await committed.end("COMMIT");
      expect(await stored()).toBe(count);
      const again = await engine.enqueue(job, 2, { idempotencyKey: "a one" });
      expect(again.isDuplicate).toBe(true);
    },
  );

  it.each([undefined, "READ COMMITTED", "SERIALIZABLE"])(
    "stores jobs of a queue that another program has deleted (in a transaction: %s)",
    async (isolation) => {
      const { engine, begin, deleteQueue, stored } = await open(version);
      await enqueueAll(engine, undefined, "a");
      await deleteQueue();
      const transaction = isolation && (await begin(isolation));
      const count = await enqueueAll(engine, transaction || undefined, "a");
      if (transaction) await transaction.end("COMMIT");
      expect(await stored()).toBe(count);
      await deleteQueue();
      await engine.schedule(job, "0 0 1 1 *", 1);
      expect(await enqueueAll(engine, undefined, "b")).toBe(count);
    },
  );

  it("rejects if the caller's transaction cannot see a queue that was created meanwhile", async () => {
    const { engine, begin, stored } = await open(version);
    const late = await begin("REPEATABLE READ");
    await engine.enqueue(job, 1);
    await expect(engine.enqueue(job, 2, { db: late })).rejects.toMatchObject({ code: "40001" });
    await late.end("ROLLBACK");
    expect(await stored()).toBe(1);
  });

  it("stores each job even if another program made the queue for one at a time", async () => {
    const { engine, boss, stored } = await open(version);
    await boss.createQueue(job.name, { policy: "short" });
    await enqueueAll(engine, undefined, "a");
    expect(await stored()).toBe(6);
  });

  it("refuses an invalid `db`, and one that answers without rows", async () => {
    const { engine, stored } = await open(version);
    await engine.enqueue(job, 1);
    for (const db of [{}, null, "db", { executeSql: 1 }, { query() {} }]) {
      await expect(engine.enqueue(job, 2, { db: db as never })).rejects.toThrow(TypeError);
    }
    const db = { executeSql: async () => [] as never };
    await expect(engine.enqueue(job, 2, { db })).rejects.toThrow("the array `rows`");
    expect(await stored()).toBe(1);
  });

  it("passes PostgreSQL's error on without the payload, even through query builders", async () => {
    const { engine, query, schema } = await open(version);
    await engine.enqueue(job, {});
    await query(
      `ALTER TABLE ${schema}.job ADD CONSTRAINT sober CHECK (data ->> 'payload' NOT LIKE '%secret%') NOT VALID`,
    );
    const client = new pg.Client({ connectionString });
    await client.connect();
    const plain: SqlDatabase = { executeSql: (text, values) => client.query(text, values) };
    const builders: Record<string, (text: string, values: unknown[], error: Error) => Error> = {
      pg: (_text, _values, error) => error,
      knex: (text, values, error) =>
        Object.assign(error, { message: `${text.replace("$2", String(values[1]))} - ${error.message}` }),
      drizzle: (text, values, cause) => new Error(`Failed query: ${text}\nparams: ${values}`, { cause }),
      typeorm: (query, parameters, driverError) =>
        Object.assign(new Error(driverError.message), { query, parameters, driverError }),
    };
    for (const [name, wrap] of Object.entries(builders)) {
      const db: SqlDatabase = {
        executeSql: (text, values = []) =>
          plain.executeSql(text, values).catch((error) => {
            throw wrap(text, values, error);
          }),
      };
      for (const options of [{ db }, { db, idempotencyKey: "k" }]) {
        const error = await engine
          .enqueue(job, { token: "secret" }, options)
          .catch((thrown: unknown) => thrown);
        expect(error, name).toMatchObject({
          code: "23514",
          message: expect.stringContaining("check constraint"),
        });
        const shown = `${inspect(error, { depth: null, showHidden: true })} ${JSON.stringify(error)}`;
        expect(shown, name).not.toMatch(/secret|json_to_recordset/);
      }
    }
    await client.end();
    const own = await engine.enqueueMany(job, [{ token: "secret" }]).catch((thrown: unknown) => thrown);
    expect(inspect(own, { depth: null, showHidden: true })).not.toContain("secret");
  });

  it("starts a worker of many new names without waiting for their queues", async () => {
    const store = await open(version);
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    store.link = async (text, run) => {
      if (text.includes("create_queue(")) await released;
      return run();
    };
    const ran: unknown[] = [];
    const jobs = Array.from({ length: 12 }, (_, n) =>
      defineJob<number>({ name: `name_${n}`, run: (payload) => void ran.push(payload) }),
    );
    const worker = await store.engine.work({ jobs });
    release();
    await store.engine.enqueue(jobs[11] as (typeof jobs)[number], 11);
    await expect.poll(() => ran, { timeout: 30_000 }).toEqual([11]);
    await worker.stop();
  });
});
