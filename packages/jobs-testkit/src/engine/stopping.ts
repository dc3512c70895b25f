import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { defineJob } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

const nothing = {
  started: 0,
  succeeded: 0,
  retried: 0,
  snoozed: 0,
  deadLettered: 0,
  cancelled: 0,
  interrupted: 0,
  abandoned: 0,
};

export const stopping: Behaviour<Kit> = (declare) => {
  declare("lets running jobs finish, and starts no more", async (kit) => {
    const { engine } = await kit.open();
    const started = deferred();
    const end = deferred();
    const job = defineJob<number>({
      name: kit.name("finish"),
      async run() {
        started.resolve();
        await end.promise;
      },
    });
    await engine.enqueueMany(job, [1, 2, 3]);
    const worker = await engine.work({ jobs: [job] });
    await started.promise;
    const stopped = worker.stop();
    // Longer than the worker takes to interrupt the handler.
    await pause(100);
    end.resolve();
    const report = await stopped;
    assert.deepEqual(report, { ...nothing, started: 1, succeeded: 1 });
    assert.deepEqual(await worker.stop(), report);
    const { waiting, succeeded, running } = await countsOf(engine, job.name);
    assert.deepEqual({ waiting, succeeded, running }, { waiting: 2, succeeded: 1, running: 0 });
  });

  declare("reports how every delivery ended", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob<string>({
      name: kit.name("report"),
      maxAttempts: 2,
      backoff: { baseMs: 1, maxMs: 1 },
      run(payload) {
        if (payload === "fails") throw new Error("always");
      },
    });
    await engine.enqueueMany(job, ["fails", "ends well"]);
    const worker = await engine.work({ jobs: [job] });
    await eventually(async () => {
      const { succeeded, deadLettered } = await countsOf(engine, job.name);
      assert.deepEqual({ succeeded, deadLettered }, { succeeded: 1, deadLettered: 1 });
    });
    assert.deepEqual(await worker.stop(), {
      ...nothing,
      started: 3,
      succeeded: 1,
      retried: 1,
      snoozed: 0,
      deadLettered: 1,
    });
  });

  declare("releases interrupted jobs without using up an attempt", async (kit) => {
    const { engine, recorder } = await kit.open();
    const seen: unknown[] = [];
    let started = deferred();
    const job = defineJob({
      name: kit.name("interrupt"),
      maxAttempts: 2,
      backoff: { baseMs: 1, maxMs: 1 },
      async run(_, { signal, delivery }) {
        seen.push(delivery?.attempt);
        // The first attempt fails. The second is interrupted, and delivered again as the second.
        if (seen.length === 1) throw new Error("once");
        if (seen.length > 2) return;
        started.resolve();
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    });
    await engine.enqueue(job, undefined);
    const worker = await engine.work({ jobs: [job] });
    await started.promise;
    const report = await worker.stop({ graceMs: 0 });
    assert.deepEqual(report, { ...nothing, started: 2, retried: 1, interrupted: 1 });
    assert.deepEqual(recorder.outcomesOf(job.name), ["retried"], "a released job has not ended");
    started = deferred();
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(seen, [1, 2, 2]));
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1));
  });

  declare("does not wait for ever, and releases abandoned jobs", async (kit) => {
    const { engine } = await kit.open();
    const started = deferred();
    const end = deferred();
    let runs = 0;
    const job = defineJob({
      name: kit.name("abandon"),
      async run() {
        if (++runs > 1) return;
        started.resolve();
        await end.promise;
      },
    });
    await engine.enqueue(job, undefined);
    const worker = await engine.work({ jobs: [job] });
    await started.promise;
    const report = await worker.stop({ graceMs: 50, abortMs: 50 });
    assert.deepEqual(report, { ...nothing, started: 1, abandoned: 1 });
    await engine.work({ jobs: [job] });
    await eventually(() => assert.equal(runs, 2));
    end.resolve();
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1));
  });

  declare("closes with its workers, and refuses later calls", async (kit) => {
    const { engine } = await kit.open();
    const started = deferred();
    const events: string[] = [];
    const job = defineJob({
      name: kit.name("close"),
      async run() {
        started.resolve();
        await pause(100);
        events.push("ended");
      },
    });
    await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await started.promise;
    await engine.close();
    assert.deepEqual(events, ["ended"]);
    await engine.close();
    await assert.rejects(engine.enqueue(job, undefined), /closed/);
    await assert.rejects(engine.stats(), /closed/);
    await assert.rejects(engine.work({ jobs: [job] }), /closed/);
  });
};
