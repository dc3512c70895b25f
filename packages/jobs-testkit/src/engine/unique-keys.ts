import assert from "node:assert/strict";
import { defineJob, type JobEngine, UnsupportedError } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

const callers = 20;

/** Longer than any test. */
const longMs = 3_600_000;

export const uniqueKeys: Behaviour<Kit> = (declare) => {
  declare(
    "stores one of many jobs that many engines enqueue with one key, or says that it cannot",
    async (kit) => {
      const { engine } = await kit.open();
      let runs = 0;
      const job = defineJob<number>({ name: kit.name("unique"), run: () => void runs++ });
      if (!engine.capabilities.uniqueKeys) {
        await assert.rejects(engine.enqueue(job, 1, { uniqueKey: "k" }), UnsupportedError.isInstance);
        return;
      }
      const engines = [engine];
      if (engine.capabilities.persistence) engines.push((await kit.open()).engine, (await kit.open()).engine);
      const answers = await Promise.all(
        Array.from({ length: callers }, (_, caller) =>
          (engines[caller % engines.length] as JobEngine).enqueue(job, caller, { uniqueKey: "digest" }),
        ),
      );
      assert.equal(answers.filter(({ isDuplicate }) => !isDuplicate).length, 1);
      assert.equal(new Set(answers.map(({ id }) => id)).size, 1, "duplicates have the id of the first");
      assert.equal((await countsOf(engine, job.name)).waiting, 1);
      assert.equal((await engine.enqueue(job, 1, { uniqueKey: "another" })).isDuplicate, false);
      await engine.work({ jobs: [job] });
      await eventually(() => assert.equal(runs, 2));
    },
  );

  declare(
    "holds a key while its job runs and is tried again, and frees it when the job has ended",
    async (kit) => {
      const { engine, recorder } = await kit.open();
      if (!engine.capabilities.uniqueKeys) return;
      const started = deferred();
      const end = deferred();
      const job = defineJob({
        name: kit.name("held"),
        backoff: { fixedMs: 1 },
        async run(_, { delivery }) {
          if (delivery?.attempt === 1) throw new Error("not yet");
          started.resolve();
          await end.promise;
        },
      });
      const options = { uniqueKey: "report" };
      const first = await engine.enqueue(job, undefined, options);
      await engine.work({ jobs: [job] });
      await started.promise;
      assert.deepEqual(await engine.enqueue(job, undefined, options), { id: first.id, isDuplicate: true });
      end.resolve();
      await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "succeeded"]));
      const next = await engine.enqueue(job, undefined, options);
      assert.equal(next.isDuplicate, false);
      assert.notEqual(next.id, first.id);
    },
  );

  declare("frees the key of a job that was cancelled, before its run or during it", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!engine.capabilities.uniqueKeys) return;
    const started = deferred();
    const job = defineJob({
      name: kit.name("cancelled"),
      run(_, { signal }) {
        started.resolve();
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
    const options = { uniqueKey: "import" };
    const waiting = await engine.enqueue(job, undefined, options);
    assert.equal(await engine.cancel(waiting.id), true);
    const running = await engine.enqueue(job, undefined, options);
    assert.equal(running.isDuplicate, false);
    await engine.work({ jobs: [job] });
    await started.promise;
    assert.equal(await engine.cancel(running.id), true);
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["cancelled"]));
    const later = { ...options, runAt: new Date(Date.now() + longMs) };
    assert.equal((await engine.enqueue(job, undefined, later)).isDuplicate, false);
  });

  declare("holds a key for a time from the enqueue, if that is asked for", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!engine.capabilities.uniqueKeys) return;
    const job = defineJob({ name: kit.name("throttled"), run() {} });
    const options = { uniqueKey: "sync", uniqueForMs: longMs };
    const { id } = await engine.enqueue(job, undefined, options);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
    assert.deepEqual(await engine.enqueue(job, undefined, options), { id, isDuplicate: true });
    const short = { uniqueKey: "short", uniqueForMs: 300 };
    await engine.enqueue(job, undefined, short);
    await eventually(async () => {
      assert.equal((await engine.enqueue(job, undefined, short)).isDuplicate, false);
    });
  });

  declare("refuses keys that contradict other options, and stores nothing", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.uniqueKeys) return;
    const job = defineJob<number>({ name: kit.name("refused"), run() {} });
    const wrong: readonly (readonly [options: object, ErrorType: typeof TypeError])[] = [
      [{ uniqueKey: "" }, TypeError],
      [{ uniqueKey: 7 }, TypeError],
      [{ uniqueKey: "x".repeat(513) }, RangeError],
      [{ uniqueKey: "k", idempotencyKey: "k" }, TypeError],
      [{ uniqueForMs: 1_000 }, TypeError],
      [{ uniqueKey: "k", uniqueForMs: 0 }, RangeError],
      [{ uniqueKey: "k", uniqueForMs: 1.5 }, RangeError],
      [{ uniqueKey: "k", uniqueForMs: "1000" }, TypeError],
    ];
    for (const [options, ErrorType] of wrong) {
      await assert.rejects(engine.enqueue(job, 1, options), ErrorType, JSON.stringify(options));
    }
    await assert.rejects(engine.enqueueMany(job, [1, 2], { uniqueKey: "k" }), TypeError);
    assert.equal((await countsOf(engine, job.name)).waiting, 0);
    const [alone] = await engine.enqueueMany(job, [1], { uniqueKey: "k" });
    assert.equal(alone?.isDuplicate, false, "one payload is not several");
    assert.deepEqual(await engine.enqueueMany(job, [2], { uniqueKey: "k" }), [
      { ...alone, isDuplicate: true },
    ]);
  });
};
