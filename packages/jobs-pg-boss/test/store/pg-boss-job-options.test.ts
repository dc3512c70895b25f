import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sharedPostgres } from "test-servers";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PgBossEngine, pgBossEngine } from "../../src/index.ts";
import { type StartedBoss, startBoss, versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const job = defineJob<string>({ name: "grouped", run() {} });

afterAll(() => postgres?.stop());

describe.skipIf(postgres === undefined).each(versions)("the option `pgBoss` on pg-boss %i", (version) => {
  let schema: string;
  let boss: StartedBoss;
  let engine: PgBossEngine;

  beforeEach(async () => {
    schema = `options_${crypto.randomUUID().replaceAll("-", "")}`;
    boss = await startBoss(version, postgres?.url ?? "", schema);
    engine = await pgBossEngine({ runner: new ObservedJobRunner(), boss, schema });
  });

  afterEach(async () => {
    await engine.close();
    await boss.stop({ graceful: false });
  });

  it.skipIf(version === 10)("puts a job into a group", async () => {
    await engine.enqueueMany(job, ["a", "b"], { pgBoss: { group: { id: "tenant 7", tier: "free" } } });
    await engine.enqueue(job, "c", { pgBoss: { group: { id: "tenant 8" } } });
    await engine.enqueue(job, "d", { pgBoss: {} });
    const { rows } = await boss
      .getDb()
      .executeSql(`SELECT group_id, group_tier FROM ${schema}.job WHERE name = $1 ORDER BY created_on`, [
        job.name,
      ]);
    expect(rows).toEqual([
      { group_id: "tenant 7", group_tier: "free" },
      { group_id: "tenant 7", group_tier: "free" },
      { group_id: "tenant 8", group_tier: null },
      { group_id: null, group_tier: null },
    ]);
  });

  it.skipIf(version === 12)("has no groups", async () => {
    const call = engine.enqueue(job, "a", { pgBoss: { group: { id: "tenant 7" } } });
    await expect(call).rejects.toThrow(new TypeError("`pgBoss.group` needs pg-boss 12"));
  });

  it.each<[object | string, string]>([
    [{ priority: 5 }, "`pgBoss.priority` is not yours to set: use `priority`"],
    [{ singletonKey: "a" }, "`pgBoss.singletonKey` is not yours to set: use `uniqueKey`"],
    [{ id: "a" }, "`pgBoss.id` is not yours to set: use `idempotencyKey`"],
    [{ deadLetter: "a" }, "`pgBoss.deadLetter` is not yours to set"],
    [{ tenant: 7 }, 'unknown option "tenant" in `pgBoss`: expected `group`'],
    ["group", "expected `pgBoss` to be an object"],
    ...(version === 12
      ? ([
          [{ group: {} }, "expected `pgBoss.group.id` to be a non-empty string"],
          [{ group: { id: "a\u0000b" } }, "expected `pgBoss.group.id` to be well-formed text"],
        ] as [object, string][])
      : []),
  ])("refuses %o", async (pgBoss, message) => {
    await expect(engine.enqueue(job, "a", { pgBoss: pgBoss as object })).rejects.toThrow(message);
    await expect(engine.enqueue(job, "a", { pgBoss: pgBoss as object })).rejects.toThrow(TypeError);
  });
});
