import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const idempotency: Behaviour<Kit> = (declare) => {
  declare("stores a job with an idempotency key once, for as long as it is retained", async (kit) => {
    const { engine } = await kit.open();
    const ran: unknown[] = [];
    const job = defineJob<string>({ name: kit.name("once"), run: (payload) => void ran.push(payload) });
    const other = defineJob<string>({ name: kit.name("other"), run: (payload) => void ran.push(payload) });
    const first = await engine.enqueue(job, "first", { idempotencyKey: "order:7" });
    const second = await engine.enqueue(job, "second", { idempotencyKey: "order:7" });
    assert.deepEqual([first.isDuplicate, second.isDuplicate], [false, true]);
    assert.equal(second.id, first.id);
    const elsewhere = await engine.enqueue(other, "elsewhere", { idempotencyKey: "order:7" });
    assert.equal(elsewhere.isDuplicate, false, "a key holds per job name");
    assert.notEqual(elsewhere.id, first.id);
    await engine.work({ jobs: [job, other] });
    await eventually(() => assert.deepEqual([...ran].sort(), ["elsewhere", "first"]));
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1));
    assert.equal((await engine.enqueue(job, "third", { idempotencyKey: "order:7" })).isDuplicate, true);
    assert.equal((await engine.enqueue(job, "fourth", { idempotencyKey: "order:8" })).isDuplicate, false);
    await eventually(() => assert.deepEqual([...ran].sort(), ["elsewhere", "first", "fourth"]));
  });

  declare("stores one of many jobs that are enqueued at the same time with one key", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob<number>({ name: kit.name("race"), run() {} });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => engine.enqueue(job, index, { idempotencyKey: "same" })),
    );
    assert.equal(answers.filter(({ isDuplicate }) => !isDuplicate).length, 1);
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
    assert.equal((await countsOf(engine, job.name)).waiting, 1);
  });

  declare("holds the key of a job that was cancelled, before its run or during it", async (kit) => {
    const { engine, recorder } = await kit.open();
    let runs = 0;
    const started = deferred();
    const job = defineJob<string>({
      name: kit.name("cancelled"),
      run(_, { signal }) {
        runs++;
        started.resolve();
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    });
    const before = { idempotencyKey: "before" };
    const during = { idempotencyKey: "during" };
    const waiting = await engine.enqueue(job, "waiting", before);
    assert.equal(await engine.cancel(waiting.id), true);
    assert.deepEqual(await engine.enqueue(job, "again", before), { id: waiting.id, isDuplicate: true });
    const running = await engine.enqueue(job, "running", during);
    await engine.work({ jobs: [job] });
    await started.promise;
    assert.equal(await engine.cancel(running.id), true);
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["cancelled"]));
    for (const options of [before, during]) {
      assert.equal((await engine.enqueue(job, "again", options)).isDuplicate, true);
    }
    assert.equal(await engine.cancel(running.id), false, "it is cancelled already");
    const { waiting: left, cancelled } = await countsOf(engine, job.name);
    assert.deepEqual([left, cancelled, runs], [0, 2, 1]);
  });

  declare("takes a key for each position of a batch", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob<string>({ name: kit.name("batch"), run() {} });
    const options = { idempotencyKey: "import 5" };
    const first = await engine.enqueueMany(job, ["a", "b"], options);
    assert.deepEqual(
      first.map(({ isDuplicate }) => isDuplicate),
      [false, false],
    );
    const again = await engine.enqueueMany(job, ["a", "b", "c"], options);
    assert.deepEqual(
      again.map(({ isDuplicate }) => isDuplicate),
      [true, true, false],
    );
    assert.deepEqual(
      again.slice(0, 2).map(({ id }) => id),
      first.map(({ id }) => id),
    );
    assert.equal((await countsOf(engine, job.name)).waiting, 3);
  });

  declare("takes a batch of several parts again, and stores nothing twice", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob<number>({ name: kit.name("parts"), run() {} });
    const payloads = Array.from({ length: 510 }, (_, index) => index);
    const options = { idempotencyKey: "import 6" };
    await engine.enqueueMany(job, payloads.slice(0, 501), options);
    const again = await engine.enqueueMany(job, payloads, options);
    assert.equal(again.filter(({ isDuplicate }) => isDuplicate).length, 501);
    assert.equal((await countsOf(engine, job.name)).waiting, 510);
  });
};
