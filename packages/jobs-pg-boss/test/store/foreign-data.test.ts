import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { pgBossEngine } from "../../src/index.ts";
import { newJob, openStore } from "../support/open-backend.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await postgres?.stop();
});

/** Columns and values of rows that another program has written. */
const readable: readonly [columns: string, values: string][] = [
  ["start_after", "'-infinity'"],
  ["start_after", "'0044-03-15 BC'"],
  ["retry_count", "-7"],
  ["retry_limit", "0"],
  ["retry_limit", "-1"],
  ["data", "NULL"],
  ["data", `'[1, "two"]'`],
  ["data", `'"text"'`],
  ["data", `'{"carrier": 5, "correlationId": [], "isCancelRequested": "yes"}'`],
  ["output", `'"text"'`],
  ["output", `'[{"lease": {}}]'`],
  ["priority", "-2147483648"],
];
const spent = ["2147483646", "2147483647"];
const unreadable = ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'290000-01-01'"];

describe.skipIf(postgres === undefined).each(versions)(
  "what other programs store, on pg-boss %i",
  (version) => {
    it("never stops telemetry or other jobs, and unreadable jobs become dead letters", async () => {
      const store = await openStore(version, postgres?.url ?? "");
      const observer = recordingObserver();
      const errors: unknown[] = [];
      const engine = await pgBossEngine({
        runner: new ObservedJobRunner(observer),
        boss: store.linked,
        schema: store.schema,
        pollIntervalMs: 50,
        onError: (error) => void errors.push(error),
      });
      closing.push(store.close, () => engine.close());
      const ran: unknown[] = [];
      const job = defineJob<unknown>({ name: "mixed", run: (payload) => void ran.push(payload) });
      await engine.enqueue(job, "ours");
      const insert = (columns: string, values: string): Promise<unknown> =>
        store.query(`INSERT INTO ${store.schema}.job (name, ${columns}) VALUES ('mixed', ${values})`);
      await insert("start_after", "'infinity'");
      for (const [columns, values] of readable) await insert(columns, values);
      for (const value of unreadable) await insert("created_on", value);
      for (const value of spent) await insert("started_on, retry_count", `now(), ${value}`);

      const { oldestWaitingAt, waiting } = await engine.stats();
      expect(waiting).toBe(1 + readable.length + unreadable.length + spent.length);
      expect(oldestWaitingAt?.getTime()).toBeGreaterThan(0);
      const [backlog] = (await observer.opened[0]?.backlog()) ?? [];
      expect(backlog?.oldestWaitingAt?.getTime()).toBeGreaterThan(0);

      await engine.work({ jobs: [job], concurrency: 3 });
      await expect.poll(() => ran.length, { timeout: 30_000 }).toBe(1 + readable.length);
      await expect
        .poll(async () => (await engine.stats()).deadLettered, { timeout: 30_000 })
        .toBe(unreadable.length + spent.length);
      expect(ran).toContain("ours");
      for (const { delivery } of observer.settled) {
        expect(delivery.attempt).toBeGreaterThan(0);
        expect(delivery.runAt.getTime()).not.toBeNaN();
      }
      const dead = await engine.deadLetters();
      expect(dead.filter(({ error }) => error.includes("its created_on is"))).toHaveLength(unreadable.length);
      expect(dead.every(({ failedAt }) => failedAt.getTime() > 0)).toBe(true);
      await store.query(
        `UPDATE ${store.schema}.job SET completed_on = 'infinity', retry_limit = 0 WHERE state = 'failed'`,
      );
      expect(
        (await engine.deadLetters()).every(
          ({ failedAt, attempts }) => failedAt.getTime() >= 0 && attempts > 0,
        ),
      ).toBe(true);
      expect((await engine.stats()).scheduled).toBe(1);
      expect(errors).toEqual([]);
    });

    it("does not delay other jobs for a key that only one active job may have", async () => {
      const store = await openStore(version, postgres?.url ?? "");
      const engine = await pgBossEngine({
        runner: new ObservedJobRunner(),
        boss: store.linked,
        schema: store.schema,
        pollIntervalMs: 50,
      });
      closing.push(store.close, () => engine.close());
      await store.boss.createQueue("single", { policy: "singleton" });
      for (const singletonKey of ["a", "a", "b"]) await store.boss.send("single", {}, { singletonKey });
      let running = 0;
      let ran = 0;
      const job = defineJob<unknown>({
        name: "single",
        async run() {
          running++;
          await new Promise((resolve) => setTimeout(resolve, 20));
          running--;
          ran++;
        },
      });
      await engine.work({ jobs: [job], concurrency: 3 });
      await expect.poll(() => ran, { timeout: 30_000 }).toBe(3);
      expect(running).toBe(0);
    });
  },
);

describe.skipIf(postgres === undefined).each(versions)("ids of jobs, on pg-boss %i", (version) => {
  it("may be any text, and one of several redrives resolves to true", async () => {
    const store = await openStore(version, postgres?.url ?? "");
    closing.push(store.close);
    const backend = store.backend();
    const { id } = newJob("known");
    await backend.insert([newJob("known", { id })], {});
    const texts = [
      "",
      "meta",
      "0",
      `${id}\n`,
      `{${id}}`,
      "\u0000",
      "\ud800",
      "a".repeat(1e6),
      crypto.randomUUID(),
    ];
    for (const text of texts) {
      expect(await backend.cancel(text)).toBe(false);
      expect(await backend.redrive(text)).toBe(false);
    }
    await store.query(`UPDATE ${store.schema}.job SET state = 'failed', completed_on = now()`);
    const redrives = await Promise.all(Array.from({ length: 8 }, () => backend.redrive(id)));
    expect(redrives.filter(Boolean)).toHaveLength(1);
  });

  it("refuses cron texts with too few fields", async () => {
    const store = await openStore(version, postgres?.url ?? "");
    const engine = await pgBossEngine({
      runner: new ObservedJobRunner(),
      boss: store.linked,
      schema: store.schema,
    });
    closing.push(store.close, () => engine.close());
    const job = defineJob({ name: "clock", run() {} });
    for (const cron of ["5", "*", "0 3 * *", "@daily", "* * * * * * *", "0 25 * * *"]) {
      await expect(engine.schedule(job, cron, undefined), cron).rejects.toThrow(TypeError);
    }
    await engine.schedule(job, " 0 3 * * MON-FRI ", undefined);
  });
});
