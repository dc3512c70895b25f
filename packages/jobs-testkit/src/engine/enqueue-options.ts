import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const enqueueOptions: Behaviour<Kit> = (declare) => {
  declare("bring attributes to every run of the job, on top of those of the runner", async (kit) => {
    const { engine, recorder } = await kit.open();
    const job = defineJob({
      name: kit.name("attributes"),
      backoff: { fixedMs: 1 },
      run(_, { delivery }) {
        if (delivery?.attempt === 1) throw new Error("not yet");
      },
    });
    const attributes = { tenant: "größe 7", "request.id": "abc", size: 1.5, isTrial: false };
    const given: Record<string, string | number | boolean> = { ...attributes };
    const enqueuing = engine.enqueue(job, undefined, { attributes: given });
    given.tenant = "changed after the call";
    await enqueuing;
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "succeeded"]));
    const seen = recorder.runsOf(job.name).map((run) => ({ ...run.attributes }));
    assert.deepEqual(seen, [attributes, attributes]);
  });

  declare("bring a backoff of their own, instead of the job's", async (kit) => {
    const { engine, recorder } = await kit.open();
    const startedMs: number[] = [];
    const job = defineJob({
      name: kit.name("backoff"),
      maxAttempts: 3,
      backoff: { baseMs: 3_600_000, maxMs: 3_600_000 },
      run() {
        startedMs.push(performance.now());
        throw new Error("never");
      },
    });
    await engine.enqueue(job, undefined, { backoff: { fixedMs: 300 } });
    await engine.work({ jobs: [job] });
    await eventually(() =>
      assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "retried", "dead-lettered"]),
    );
    const [first = 0, second = 0, third = 0] = startedMs;
    // Clocks round.
    for (const waitedMs of [second - first, third - second])
      assert.ok(waitedMs >= 295, `it waited ${waitedMs} ms of 300`);
  });

  declare("leave the wait to a function of the job, which gets the attempt and its error", async (kit) => {
    const { engine, recorder } = await kit.open();
    const asked: unknown[] = [];
    const job = defineJob({
      name: kit.name("function"),
      maxAttempts: 3,
      backoff(attempt, { message }) {
        asked.push([attempt, message]);
        return attempt - 1;
      },
      run(_, { delivery }) {
        throw new Error(`failure ${delivery?.attempt}`);
      },
    });
    await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await eventually(() =>
      assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "retried", "dead-lettered"]),
    );
    assert.deepEqual(asked, [
      [1, "failure 1"],
      [2, "failure 2"],
    ]);
  });

  declare(
    "remove a job at its end if it is to be retained for no time, unless it is a dead letter",
    async (kit) => {
      const { engine, recorder } = await kit.open();
      const job = defineJob<string>({
        name: kit.name("retained"),
        maxAttempts: 1,
        run(payload) {
          if (payload === "fails") throw new Error("no");
        },
      });
      const options = { retainMs: 0 };
      const { id } = await engine.enqueue(job, "succeeds", options);
      await engine.enqueue(job, "fails", options);
      await engine.enqueue(job, "stays", { retainMs: 3_600_000 });
      const cancelled = await engine.enqueue(job, "cancelled", options);
      assert.equal(await engine.cancel(cancelled.id), true);
      await engine.work({ jobs: [job] });
      await eventually(() =>
        assert.deepEqual([...recorder.outcomesOf(job.name)].sort(), [
          "dead-lettered",
          "succeeded",
          "succeeded",
        ]),
      );
      const { waiting, running, succeeded, deadLettered } = await countsOf(engine, job.name);
      assert.deepEqual(
        { waiting, running, succeeded, deadLettered },
        { waiting: 0, running: 0, succeeded: 1, deadLettered: 1 },
      );
      if (engine.capabilities.listing) assert.equal(await engine.job(id), undefined);
      assert.equal(await engine.cancel(id), false);
      await engine.enqueue(job, "keyed", { ...options, idempotencyKey: "once" });
      await eventually(() => assert.equal(recorder.outcomesOf(job.name).length, 4));
      const again = await engine.enqueue(job, "keyed", { ...options, idempotencyKey: "once" });
      assert.equal(again.isDuplicate, false, "a key holds for as long as its job is retained");
    },
  );

  declare("are checked at the call, and nothing is stored", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob({ name: kit.name("wrong"), run() {} });
    const wrong: readonly (readonly [options: object, ErrorType: typeof TypeError])[] = [
      [{ retainMs: -1 }, RangeError],
      [{ retainMs: 0.5 }, RangeError],
      [{ retainMs: "a day" }, TypeError],
      [{ backoff: 5 }, TypeError],
      [{ backoff: () => 5 }, TypeError],
      [{ backoff: {} }, TypeError],
      [{ backoff: { fixedMs: -1 } }, RangeError],
      [{ backoff: { fixedMs: 5, maxMs: 10 } }, TypeError],
      [{ backoff: { baseMs: 10, maxMs: 5 } }, RangeError],
      [{ attributes: "tenant" }, TypeError],
      [{ attributes: ["tenant"] }, TypeError],
      [{ attributes: { "": "a" } }, TypeError],
      [{ attributes: { tenant: null } }, TypeError],
      [{ attributes: { tenant: { id: 7 } } }, TypeError],
      [{ attributes: { size: Number.NaN } }, TypeError],
      [{ attributes: { tenant: "a\u0000b" } }, TypeError],
      [{ attributes: { tenant: "x".repeat(3_000) } }, RangeError],
      [{ attributes: { ["x".repeat(129)]: 1 } }, RangeError],
      [
        { attributes: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`a${index}`, 1])) },
        RangeError,
      ],
    ];
    for (const [options, ErrorType] of wrong) {
      await assert.rejects(engine.enqueue(job, undefined, options), ErrorType, JSON.stringify(options));
    }
    assert.equal((await countsOf(engine, job.name)).waiting, 0);
  });

  declare("that another engine has are refused by their names", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob({ name: kit.name("foreign"), run() {} });
    const own = { bullmq: "bullmq", "pg-boss": "pgBoss" } as Readonly<Record<string, string>>;
    for (const option of ["bullmq", "pgBoss", "kafka"]) {
      if (option === own[engine.name]) continue;
      const options = { [option]: {} } as object;
      await assert.rejects(
        engine.enqueue(job, undefined, options),
        new RegExp(`TypeError: unknown option "${option}"`),
      );
    }
    assert.equal((await countsOf(engine, job.name)).waiting, 0);
  });
};
