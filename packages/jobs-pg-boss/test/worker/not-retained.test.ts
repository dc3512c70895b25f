import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PgBossBackend } from "../../src/pg-boss-backend.ts";
import { newJob, type OpenedStore, openStore } from "../support/open-backend.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const never = new AbortController().signal;

afterAll(() => postgres?.stop());

describe.skipIf(postgres === undefined).each(versions)(
  "a job that is not retained, on pg-boss %i",
  (version) => {
    let store: OpenedStore;
    let backend: PgBossBackend;

    beforeAll(async () => {
      store = await openStore(version, postgres?.url ?? "");
      backend = store.backend();
    });

    afterAll(() => store.close());

    /** Loses the answers to the statements that remove jobs, for so many statements. */
    function loseAnswers(count: number): void {
      let left = count;
      store.link = async (text, run) => {
        const answer = await run();
        if (/^\s*DELETE/.test(text) && left-- > 0) throw new Error("Connection terminated unexpectedly");
        return answer;
      };
    }

    it("is gone once its end is recorded, and stays away", async () => {
      const jobs = Array.from({ length: 3 }, () => newJob("removed", { retainMs: 0 }));
      await backend.insert(jobs, {});
      const consumer = await backend.consumer(["removed"]);
      const leased = await consumer.fetch(3, never);
      const results = await Promise.all(leased.map((job) => consumer.settle(job, { type: "succeeded" })));
      expect(results).toEqual(Array(3).fill({ isRecorded: true }));
      expect(await store.query(`SELECT id FROM ${store.schema}.job WHERE name = 'removed'`)).toEqual([]);
    });

    it("counts as recorded if the answer was lost, and the settlement is repeated", async () => {
      await backend.insert([newJob("lost_answer", { retainMs: 0 })], {});
      const consumer = await backend.consumer(["lost_answer"]);
      const [job] = await consumer.fetch(1, never);
      if (job === undefined) throw new Error("nothing was fetched");
      loseAnswers(1);
      await expect(consumer.settle(job, { type: "succeeded" })).rejects.toThrow("Connection terminated");
      expect(await consumer.settle(job, { type: "succeeded" })).toEqual({ isRecorded: true });
      store.link = (_text, run) => run();
    });

    it("is gone if it was cancelled in place of a failure", async () => {
      await backend.insert([newJob("cancelled", { retainMs: 0 }), newJob("cancelled")], {});
      const consumer = await backend.consumer(["cancelled"]);
      const leased = await consumer.fetch(2, never);
      for (const { id } of leased) await backend.cancel(id);
      const failed = { type: "retried", error: "no", delayMs: 1_000, carrier: undefined } as const;
      const results = await Promise.all(leased.map((job) => consumer.settle(job, failed)));
      expect(results).toEqual(Array(2).fill({ isRecorded: true, isCancelled: true }));
      const kept = await store.query(`SELECT state FROM ${store.schema}.job WHERE name = 'cancelled'`);
      expect(kept).toEqual([{ state: "cancelled" }]);
    });

    it("is not recorded for a worker whose lease another one has", async () => {
      await backend.insert([newJob("passed_on", { retainMs: 0 })], {});
      const consumer = await backend.consumer(["passed_on"]);
      const [first] = await consumer.fetch(1, never);
      if (first === undefined) throw new Error("nothing was fetched");
      await store.expire(first.id);
      const [second] = await consumer.fetch(1, never);
      if (second === undefined) throw new Error("nothing was fetched again");
      expect(await consumer.settle(first, { type: "succeeded" })).toEqual({ isRecorded: false });
      expect(await consumer.settle(second, { type: "succeeded" })).toEqual({ isRecorded: true });
    });

    it("is told after the retry before it, although other names are recorded in between", async () => {
      const names = ["first", "second"].map((name) => `told_${name}`);
      for (const name of names) await backend.insert([newJob(name, { retainMs: 0 })], {});
      const consumer = await backend.consumer(names);
      const jobs = [];
      while (jobs.length < 2) jobs.push(...(await consumer.fetch(2, never)));
      const told: string[] = [];
      let isHeld = false;
      // The second name's outcome is not recorded before the first name's job has ended.
      let release = (): void => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      store.link = async (text, run) => {
        const isSettling = /SET\s+state = \(CASE/.test(text);
        if (isSettling && isHeld) await released;
        isHeld ||= isSettling;
        return run();
      };
      const retried = { type: "retried", delayMs: 0, error: "once" } as const;
      const settling = jobs.map(async (job) => {
        await consumer.settle(job, retried);
        told.push(`${job.name} retried`);
      });
      let again: (typeof jobs)[number] | undefined;
      while (again === undefined) [again] = await consumer.fetch(1, never);
      await consumer.settle(again, { type: "succeeded" });
      told.push(`${again.name} succeeded`);
      release();
      await Promise.all(settling);
      expect(told.indexOf(`${again.name} retried`)).toBeLessThan(told.indexOf(`${again.name} succeeded`));
      store.link = (_text, run) => run();
    });

    it("is retried and dead-lettered like any other", async () => {
      await backend.insert([newJob("failing", { retainMs: 0, maxAttempts: 2 })], {});
      const consumer = await backend.consumer(["failing"]);
      const [first] = await consumer.fetch(1, never);
      if (first === undefined) throw new Error("nothing was fetched");
      await consumer.settle(first, { type: "retried", delayMs: 0, error: "once" });
      const [second] = await consumer.fetch(1, never);
      if (second === undefined) throw new Error("nothing was fetched again");
      expect(await consumer.settle(second, { type: "dead-lettered", error: "no" })).toMatchObject({
        isRecorded: true,
      });
      expect((await backend.deadLetters(10)).map(({ id }) => id)).toContain(second.id);
    });
  },
);
