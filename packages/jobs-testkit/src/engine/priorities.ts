import assert from "node:assert/strict";
import { defineJob, UnsupportedError } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const priorities: Behaviour<Kit> = (declare) => {
  declare("starts jobs by the priority of the enqueue or of the job, or says that it cannot", async (kit) => {
    const { engine } = await kit.open();
    const started: string[] = [];
    const job = defineJob<string>({
      name: kit.name("ranked"),
      priority: 5,
      run: (payload) => void started.push(payload),
    });
    if (!engine.capabilities.priorities) {
      await assert.rejects(engine.enqueue(job, "a"), UnsupportedError.isInstance);
      await assert.rejects(engine.enqueue(job, "a", { priority: 1 }), UnsupportedError.isInstance);
      assert.equal((await engine.enqueue(job, "a", { priority: 0 })).isDuplicate, false);
      return;
    }
    await engine.enqueueMany(job, ["last 0", "last 1", "last 2"], { priority: 9 });
    await engine.enqueue(job, "own 0");
    await engine.enqueueMany(job, ["first 0", "first 1"], { priority: 0 });
    await engine.enqueue(job, "last 3", { priority: 9 });
    await engine.enqueueMany(job, ["own 1", "own 2"]);
    await engine.enqueue(job, "first 2", { priority: 0 });
    await engine.enqueue(job, "second", { priority: 1 });
    await engine.work({ jobs: [job], concurrency: 1 });
    const expected = ["first", "second", "own", "last"].flatMap((of) =>
      of === "second" ? [of] : Array.from({ length: of === "last" ? 4 : 3 }, (_, index) => `${of} ${index}`),
    );
    await eventually(() => assert.equal(started.length, expected.length), 60_000);
    assert.deepEqual(started, expected);
  });

  declare("keeps the priority of a job that is tried again", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.priorities) return;
    const started: string[] = [];
    const job = defineJob<string>({
      name: kit.name("again"),
      priority: 8,
      backoff: { fixedMs: 1 },
      async run(payload, { delivery }) {
        started.push(payload);
        if (payload === "last" && delivery?.attempt === 1) {
          await engine.enqueueMany(job, ["a", "b", "c"]);
          await engine.enqueue(job, "first", { priority: 0 });
          throw new Error("not yet");
        }
        // Holds the only slot until the failed job waits again.
        if (payload === "first") {
          await eventually(async () => assert.equal((await countsOf(engine, job.name)).waiting, 4));
        }
      },
    });
    await engine.enqueue(job, "last", { priority: 9 });
    await engine.work({ jobs: [job], concurrency: 1 });
    await eventually(() => assert.deepEqual(started, ["last", "first", "a", "b", "c", "last"]));
  });

  declare("gives the jobs of a schedule the priority of their definition", async (kit) => {
    const { engine, recorder } = await kit.open();
    const { priorities: ranks, schedules, intervals, listing } = engine.capabilities;
    if (!ranks || !schedules || !intervals || !listing) return;
    const job = defineJob({ name: kit.name("scheduled"), priority: 7, run() {} });
    await engine.schedule(job, { everyMs: 1_000 });
    const worker = await engine.work({ jobs: [job] });
    await eventually(() => assert.ok(recorder.settled.length > 0), 60_000);
    assert.equal(await engine.unschedule(job), true);
    await worker.stop();
    const { jobId = "" } = recorder.settled[0]?.delivery ?? {};
    assert.equal((await engine.job(jobId))?.priority, 7);
  });

  declare("refuses what is no priority, and stores nothing", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob({ name: kit.name("refused"), run() {} });
    for (const priority of [-1, 10, 0.5, Number.NaN]) {
      assert.throws(() => defineJob({ name: "refused", priority, run() {} }), RangeError);
      await assert.rejects(engine.enqueue(job, undefined, { priority }), RangeError);
    }
    await assert.rejects(engine.enqueue(job, undefined, { priority: "high" as never }), TypeError);
    assert.equal((await countsOf(engine, job.name)).waiting, 0);
  });
};
