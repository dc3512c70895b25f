import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import type { JobDelivery } from "@nidus/jobs-observe";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const delivery: Behaviour<Kit> = (declare) => {
  declare("runs an enqueued job once, with its payload and its delivery", async (kit) => {
    const { engine } = await kit.open();
    const seen: [unknown, JobDelivery | undefined, boolean][] = [];
    const job = defineJob<{ to: string }>({
      name: kit.name("deliver"),
      maxAttempts: 7,
      run: (payload, { delivery, signal }) => void seen.push([payload, delivery, signal.aborted]),
    });
    const before = Date.now();
    const { id, isDuplicate } = await engine.enqueue(job, { to: "ada" }, { correlationId: "order 7" });
    assert.equal(isDuplicate, false);
    await engine.work({ jobs: [job] });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1));
    assert.equal(seen.length, 1);
    const [payload, delivered, isAborted] = seen[0] as (typeof seen)[number];
    assert.deepEqual(payload, { to: "ada" });
    assert.equal(isAborted, false);
    assert.equal(delivered?.engine, engine.name);
    assert.equal(delivered.jobId, id);
    assert.equal(delivered.attempt, 1);
    assert.equal(delivered.maxAttempts, 7);
    assert.equal(delivered.correlationId, "order 7");
    assert.equal(typeof delivered.queue, "string");
    for (const time of [delivered.enqueuedAt, delivered.runAt]) {
      assert.ok(time instanceof Date);
      assert.ok(Math.abs(time.getTime() - before) < 60_000, `${time.toISOString()} is far from now`);
    }
  });

  declare("stores many jobs in one go, in order, and runs each once", async (kit) => {
    const { engine, recorder } = await kit.open();
    const ran: number[] = [];
    const job = defineJob<number>({ name: kit.name("batch"), run: (payload) => void ran.push(payload) });
    const enqueued = await engine.enqueueMany(job, [1, 2, 3, 4, 5]);
    assert.equal(new Set(enqueued.map(({ id }) => id)).size, 5);
    assert.deepEqual(await engine.enqueueMany(job, []), []);
    await engine.work({ jobs: [job], concurrency: 2 });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 5));
    assert.deepEqual(ran.sort(), [1, 2, 3, 4, 5]);
    const ids = enqueued.map(({ id }) => id);
    await eventually(() =>
      assert.deepEqual(recorder.settled.map(({ delivery }) => delivery.jobId).sort(), ids.sort()),
    );
    assert.equal(recorder.enqueued[0]?.count, 5);
  });

  declare("runs each of many jobs exactly once, with any number of workers", async (kit) => {
    const { engine } = await kit.open();
    const runs = new Map<number, number>();
    const job = defineJob<number>({
      name: kit.name("many"),
      run: (payload) => void runs.set(payload, (runs.get(payload) ?? 0) + 1),
    });
    const count = 200;
    await engine.enqueueMany(
      job,
      Array.from({ length: count }, (_, index) => index),
    );
    for (let worker = 0; worker < 3; worker++) await engine.work({ jobs: [job], concurrency: 7 });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, count));
    assert.equal(runs.size, count);
    assert.deepEqual([...new Set(runs.values())], [1]);
  });

  declare("leaves unknown names to a worker that knows them", async (kit) => {
    const { engine } = await kit.open();
    const ran: string[] = [];
    const known = defineJob({ name: kit.name("known"), run: () => void ran.push("known") });
    const unknown = defineJob({ name: kit.name("unknown"), run: () => void ran.push("unknown") });
    await engine.enqueue(unknown, undefined);
    await engine.enqueue(known, undefined);
    await engine.work({ jobs: [known] });
    await eventually(() => assert.deepEqual(ran, ["known"]));
    await engine.enqueue(known, undefined);
    await eventually(() => assert.deepEqual(ran, ["known", "known"]));
    assert.equal((await countsOf(engine, unknown.name)).waiting, 1);
    await engine.work({ jobs: [unknown] });
    await eventually(() => assert.deepEqual(ran, ["known", "known", "unknown"]));
  });

  declare("does not run a job before its time", async (kit) => {
    const { engine } = await kit.open();
    let startedMs = 0;
    const job = defineJob({
      name: kit.name("later"),
      run: () => {
        startedMs = Date.now();
      },
    });
    await engine.work({ jobs: [job] });
    const runAt = new Date(Date.now() + 1_200);
    await engine.enqueue(job, undefined, { runAt });
    await eventually(() => assert.notEqual(startedMs, 0));
    assert.ok(startedMs >= runAt.getTime() - 5, `it started ${runAt.getTime() - startedMs} ms early`);
  });

  declare("delivers a time that has passed at once", async (kit) => {
    const { engine, recorder } = await kit.open();
    const job = defineJob({ name: kit.name("past"), run() {} });
    await engine.enqueue(job, undefined, { runAt: new Date(Date.now() - 60_000) });
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
  });
};
