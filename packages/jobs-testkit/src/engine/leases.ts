import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { defineJob } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

/** Twice the longest lease, and a reserve for a busy machine. */
const longLeaseLimitMs = 120_000;

export const leases: Behaviour<Kit> = (declare) => {
  declare(
    "runs a job that takes longer than its lease once",
    async (kit) => {
      // Not shorter: if many tests share one connection, a renewal may wait some seconds for its turn.
      const leaseMs = 10_000;
      const { engine } = await kit.open({ leaseMs });
      // A persistent engine gets a second engine, like one of another process.
      const other = engine.capabilities.persistence ? (await kit.open({ leaseMs })).engine : engine;
      let runs = 0;
      const job = defineJob({
        name: kit.name("long"),
        async run() {
          runs++;
          await pause(2 * leaseMs);
        },
      });
      await engine.enqueue(job, undefined);
      await engine.work({ jobs: [job] });
      await other.work({ jobs: [job] });
      await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1));
      assert.equal(runs, 1);
    },
    longLeaseLimitMs,
  );

  declare(
    "counts a job once that ends after its lease, in a process that could not renew it",
    async (kit) => {
      const leaseMs = 1_000;
      const { engine, recorder } = await kit.open({ leaseMs });
      let runs = 0;
      const job = defineJob({
        name: kit.name("frozen"),
        maxAttempts: 1,
        async run() {
          runs++;
          // This blocks the event loop, so that no timer runs and no lease is renewed.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2.5 * leaseMs);
          await pause(leaseMs);
        },
      });
      await engine.enqueue(job, undefined);
      const worker = await engine.work({ jobs: [job], concurrency: 2 });
      await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1), 30_000);
      await worker.stop();
      assert.equal(runs, 1);
      const outcomes = recorder.outcomesOf(job.name).filter((each) => each !== "stalled" && each !== "lost");
      assert.deepEqual(outcomes, ["succeeded"]);
    },
  );

  declare("keeps enqueued jobs when the engine is closed, if it claims persistence", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.persistence) return;
    let runs = 0;
    const job = defineJob<{ to: string }>({ name: kit.name("kept"), run: () => void runs++ });
    await engine.enqueue(job, { to: "ada" });
    await engine.close();
    const { engine: again, recorder } = await kit.open();
    await again.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
    assert.equal(runs, 1);
  });
};
