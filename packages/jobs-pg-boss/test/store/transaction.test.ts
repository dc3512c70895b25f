import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import pg from "pg";
import PgBoss from "pg-boss";
import { embeddedDatabase, sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { type PgBossEngine, pgBossEngine, type SqlDatabase } from "../../src/index.ts";

const postgres = await sharedPostgres();

afterAll(() => postgres?.stop());

const job = defineJob<{ user: number }>({ name: "welcome", run() {} });

async function waiting(engine: PgBossEngine): Promise<number> {
  return (await engine.stats()).byName.welcome?.waiting ?? 0;
}

describe.skipIf(postgres === undefined)("enqueue in the caller's transaction", () => {
  it("is rolled back together, and visible together", async () => {
    const connectionString = postgres?.url ?? "";
    await using engine = await pgBossEngine({ runner: new ObservedJobRunner(), connectionString });
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      const db: SqlDatabase = { executeSql: (text, values) => client.query(text, values) };
      await client.query("CREATE TABLE users (id int)");

      await client.query("BEGIN");
      await client.query("INSERT INTO users VALUES (1)");
      await engine.enqueue(job, { user: 1 }, { db });
      await engine.enqueueMany(job, [{ user: 2 }, { user: 3 }], { db });
      await engine.enqueue(job, { user: 4 }, { db, idempotencyKey: "four" });
      expect(await waiting(engine), "no other connection sees it before the commit").toBe(0);
      await client.query("ROLLBACK");
      expect(await waiting(engine)).toBe(0);

      await client.query("BEGIN");
      await client.query("INSERT INTO users VALUES (1)");
      await engine.enqueue(job, { user: 1 }, { db });
      const keyed = await engine.enqueue(job, { user: 4 }, { db, idempotencyKey: "four" });
      expect(keyed.isDuplicate, "what was rolled back holds no key").toBe(false);
      await client.query("COMMIT");
      expect(await waiting(engine)).toBe(2);
      expect((await client.query("SELECT id FROM users")).rows).toEqual([{ id: 1 }]);
    } finally {
      await client.end();
    }
  });
});

describe("enqueue within a transaction of an embedded database", () => {
  it("is rolled back together, and visible together", async () => {
    const pglite = await embeddedDatabase();
    const boss = new PgBoss({
      db: {
        async executeSql(text, values) {
          if (values?.length) return pglite.query(text, values);
          return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
        },
      },
    });
    await boss.start();
    await using engine = await pgBossEngine({ runner: new ObservedJobRunner(), boss });
    const transaction = pglite.transaction(async (tx) => {
      await engine.enqueue(
        job,
        { user: 1 },
        { db: { executeSql: (text, values) => tx.query(text, values) } },
      );
      throw new Error("rolled back");
    });
    await expect(transaction).rejects.toThrow("rolled back");
    expect(await waiting(engine)).toBe(0);
    await boss.stop({ graceful: false });
    await pglite.close();
  });
});
