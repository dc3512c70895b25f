import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import pg from "pg";
import { sharedPostgres } from "test-servers";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PgBossEngine, pgBossEngine, type SqlDatabase } from "../../src/index.ts";
import { type StartedBoss, startBoss, versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
const job = defineJob<string>({ name: "unique", run() {} });
const options = { uniqueKey: "digest" };

afterAll(() => postgres?.stop());

describe.skipIf(postgres === undefined).each(versions)("a unique key on pg-boss %i", (version) => {
  let schema: string;
  let boss: StartedBoss;
  let engine: PgBossEngine;
  const clients: pg.Client[] = [];

  beforeEach(async () => {
    schema = `unique_${crypto.randomUUID().replaceAll("-", "")}`;
    boss = await startBoss(version, connectionString, schema);
    engine = await pgBossEngine({ runner: new ObservedJobRunner(), boss, schema });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end();
    await engine.close();
    await boss.stop({ graceful: false });
  });

  async function transaction(isolation = "READ COMMITTED"): Promise<{ client: pg.Client; db: SqlDatabase }> {
    const client = new pg.Client({ connectionString });
    clients.push(client);
    await client.connect();
    await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
    return { client, db: { executeSql: (text, values) => client.query(text, values) } };
  }

  /** Resolves once a statement waits for another transaction. */
  const someoneWaits = (): Promise<void> =>
    expect
      .poll(async () => {
        const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
        return (await boss.getDb().executeSql(waiting, [`%${schema}%`])).rows.length;
      })
      .toBeGreaterThan(0);

  it("of a transaction lets another enqueue wait for its end, which decides", async () => {
    // The queue exists before, so that no transaction waits for its creation.
    await engine.enqueue(job, "creates the queue");
    for (const end of ["COMMIT", "ROLLBACK"]) {
      const key = { uniqueKey: end };
      const { client, db } = await transaction();
      const first = await engine.enqueue(job, "first", { ...key, db });
      expect(first.isDuplicate).toBe(false);
      expect(await engine.enqueue(job, "in the same transaction", { ...key, db })).toEqual({
        id: first.id,
        isDuplicate: true,
      });
      const second = engine.enqueue(job, "second", key);
      await someoneWaits();
      await client.query(end);
      const { id, isDuplicate } = await second;
      expect(isDuplicate).toBe(end === "COMMIT");
      expect(id === first.id).toBe(end === "COMMIT");
    }
  });

  it("that another transaction has taken is a serialization failure above READ COMMITTED", async () => {
    await engine.enqueue(job, "creates the queue");
    const { db } = await transaction("REPEATABLE READ");
    await db.executeSql("SELECT 1");
    await engine.enqueue(job, "first", options);
    const error = await engine.enqueue(job, "second", { ...options, db }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "40001" });
  });

  // pg-boss 10 allows no such time unless its archive keeps jobs for longer.
  it.skipIf(version === 10)(
    "is held by a bare job with `singletonKey` and the longest `singletonSeconds`, too",
    async () => {
      const first = await engine.enqueue(job, "creates the queue", options);
      await engine.cancel(first.id);
      const singleton = { singletonKey: options.uniqueKey, singletonSeconds: 2 ** 31 - 1 };
      const id = await boss.send(job.name, {}, singleton);
      expect(await engine.enqueue(job, "second", options)).toEqual({ id, isDuplicate: true });
      await boss.fail(job.name, id as string);
      expect(await boss.send(job.name, {}, singleton), "pg-boss frees no key by itself").toBeNull();
    },
  );

  it("is free once pg-boss itself has given up its job", async () => {
    const first = await engine.enqueue(job, "first", options);
    await boss
      .getDb()
      .executeSql(`UPDATE ${schema}.job SET state = 'failed', completed_on = now() WHERE id = $1`, [
        first.id,
      ]);
    expect((await engine.enqueue(job, "second", options)).isDuplicate).toBe(false);
  });

  it("may be long, beside a long name", async () => {
    const long = defineJob<string>({ name: "n".repeat(400), run() {} });
    const uniqueKey = Array.from({ length: 85 }, () => crypto.randomUUID().slice(0, 6)).join("");
    const { id } = await engine.enqueue(long, "first", { uniqueKey });
    expect(await engine.enqueue(long, "second", { uniqueKey })).toEqual({ id, isDuplicate: true });
    expect((await engine.enqueue(long, "other", { uniqueKey: `${uniqueKey}x` })).isDuplicate).toBe(false);
  });

  it("takes no part of the index of an ordinary enqueue", async () => {
    const { id } = await engine.enqueue(job, "plain");
    const { rows } = await boss
      .getDb()
      .executeSql(`SELECT singleton_key, singleton_on FROM ${schema}.job WHERE id = $1`, [id]);
    expect(rows).toEqual([{ singleton_key: null, singleton_on: null }]);
  });
});
