import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { pgBossEngine } from "../../src/index.ts";
import { newJob, openStore } from "../support/open-backend.ts";
import { startBoss, versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const job = defineJob({ name: "waits", run() {} });
const never = new AbortController().signal;

afterAll(() => postgres?.stop());

const query = (schema: string) =>
  `SELECT start_after, keep_until > greatest(start_after, now()) + interval '9 years' AS is_kept
  FROM ${schema}.job WHERE name = $1`;

describe.skipIf(postgres === undefined).each(versions)("a waiting job on pg-boss %i", (version) => {
  it.each([
    ["since 1970", new Date(0)],
    ["since a moment ago", new Date(Date.now() - 1_000)],
    ["until 9900", new Date(Date.UTC(9900, 0))],
  ])("is kept for years to come: %s", async (_since, runAt) => {
    const schema = `retention_${crypto.randomUUID().replaceAll("-", "")}`;
    const boss = await startBoss(version, postgres?.url ?? "", schema);
    const engine = await pgBossEngine({ runner: new ObservedJobRunner(), boss, schema });
    await engine.enqueue(job, undefined, { runAt });
    await engine.enqueue(job, undefined, { runAt, idempotencyKey: "once" });
    const { rows } = await boss.getDb().executeSql(query(schema), [job.name]);
    expect(rows).toEqual([
      { start_after: runAt, is_kept: true },
      { start_after: runAt, is_kept: true },
    ]);
    await engine.close();
    await boss.stop({ graceful: false });
  });
});

describe.skipIf(postgres === undefined)("a redriven job on pg-boss 12", () => {
  it("is kept for its own time when it has succeeded, and not for that of dead letters", async () => {
    const store = await openStore(12, postgres?.url ?? "");
    const backend = store.backend();
    await backend.insert([newJob("redriven", { retainMs: 5_000 }), newJob("redriven")], {});
    const consumer = await backend.consumer(["redriven"]);
    const seconds = async (): Promise<unknown[]> => {
      const rows = await store.query(`SELECT deletion_seconds FROM ${store.schema}.job ORDER BY id`);
      return rows.map((row) => row.deletion_seconds);
    };
    const before = await seconds();
    for (const job of await consumer.fetch(2, never)) {
      await consumer.settle(job, { type: "dead-lettered", error: "no" });
      expect(await backend.redrive(job.id)).toBe(true);
    }
    for (const job of await consumer.fetch(2, never)) await consumer.settle(job, { type: "succeeded" });
    expect(await seconds()).toEqual(before);
    await store.close();
  });
});
