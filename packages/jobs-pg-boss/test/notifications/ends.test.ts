import { setTimeout as pause } from "node:timers/promises";
import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import type { PgBossEngine } from "../../src/index.ts";
import { loadEngine, OtherConnection } from "../support/listening.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";

afterAll(() => postgres?.stop());

const job = defineJob<{ of: string }>({
  name: "awaited",
  maxAttempts: 1,
  run: ({ of }) => `result of ${of}`,
});

describe.skipIf(postgres === undefined).each(versions)("ends of jobs, on pg-boss %i", (version) => {
  const schema = `ends_${version}`;

  it("are notified while a caller awaits one of that name, and not otherwise", async () => {
    const { pgBossEngine } = await loadEngine(version);
    const open = async (): Promise<PgBossEngine> => {
      const engine = await pgBossEngine({
        ...{ runner: new ObservedJobRunner(), connectionString, schema, maxConnections: 3 },
      });
      onTestFinished(() => engine.close());
      return engine;
    };
    const other = await OtherConnection.open(connectionString);
    onTestFinished(() => other.close());
    const heard: (string | undefined)[] = [];
    other.client.on("notification", ({ payload }) => heard.push(payload));
    await other.query(`LISTEN nidus_${schema}_ends`);
    /** Notifications come in order, so what was sent before is here when this resolves. */
    const allHeard = async (): Promise<unknown[]> => {
      const mark = ` ${crypto.randomUUID()}`;
      await other.query("SELECT pg_notify($1, $2)", [`nidus_${schema}_ends`, mark]);
      await expect.poll(() => heard).toContain(mark);
      return heard.filter((payload) => !payload?.startsWith(" "));
    };

    const worker = await open();
    await worker.work({ jobs: [job] });
    const caller = await open();
    const unheard = await worker.enqueue(job, { of: "unheard" });
    await expect.poll(async () => (await worker.stats()).succeeded).toBe(1);
    expect(await allHeard()).toEqual([]);

    const waiting = await caller.enqueue(job, { of: "waiting" }, { runAt: new Date(Date.now() + 3_600_000) });
    const result = caller.result(waiting.id);
    await expect.poll(() => other.awaiting(schema, "awaited")).toHaveLength(1);
    expect(await caller.reschedule(waiting.id, new Date())).toBe(true);
    expect(await result).toBe("result of waiting");
    expect(await allHeard()).toEqual([`${waiting.id} awaited`]);

    const cancelled = await caller.enqueue(
      job,
      { of: "cancelled" },
      { runAt: new Date(Date.now() + 3_600_000) },
    );
    const gone = caller.result(cancelled.id).catch((error: Error) => error.message);
    await caller.job(cancelled.id);
    await worker.cancel(cancelled.id);
    expect(await gone).toMatch(/cancelled/);
    expect(await allHeard()).toEqual([`${waiting.id} awaited`, `${cancelled.id} awaited`]);

    await caller.close();
    await expect.poll(() => other.awaiting(schema, "awaited")).toEqual([]);
    await worker.enqueue(job, { of: "after" });
    await expect.poll(async () => (await worker.stats()).succeeded).toBe(3);
    expect(await allHeard()).toHaveLength(2);
    expect(await worker.result(unheard.id)).toBe("result of unheard");
  });

  it("reach a caller whose connection was ended meanwhile", async () => {
    const { pgBossEngine } = await loadEngine(version);
    const other = await OtherConnection.open(connectionString);
    onTestFinished(() => other.close());
    const options = { runner: new ObservedJobRunner(), connectionString, schema, maxConnections: 3 };
    const worker = await pgBossEngine(options);
    onTestFinished(() => worker.close());
    const caller = await pgBossEngine({ ...options, onError: () => {} });
    onTestFinished(() => caller.close());
    let finish = (): void => {};
    const slow = defineJob({
      name: "slow",
      run: async (_payload, { signal }) => {
        await Promise.race([
          new Promise<void>((resolve) => {
            finish = resolve;
          }),
          pause(600_000, undefined, { signal }),
        ]);
        return "done";
      },
    });
    await worker.work({ jobs: [slow] });
    const { id } = await worker.enqueue(slow);
    const result = caller.result(id, { timeoutMs: 300_000 });
    await expect.poll(() => other.awaiting(schema, "slow")).toHaveLength(1);
    const [holder] = await other.awaiting(schema, "slow");
    await other.query("SELECT pg_terminate_backend($1)", [holder]);
    await expect
      .poll(async () => (await other.awaiting(schema, "slow")).filter((pid) => pid !== holder))
      .toHaveLength(1);
    finish();
    expect(await result).toBe("done");
  });
});
