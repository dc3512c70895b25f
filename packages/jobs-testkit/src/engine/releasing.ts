import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const releasing: Behaviour<Kit> = (declare) => {
  declare("delivers an only attempt again, as the first attempt", async (kit) => {
    const { engine, recorder } = await kit.open();
    const seen: unknown[] = [];
    const started = deferred();
    const job = defineJob({
      name: kit.name("only"),
      maxAttempts: 1,
      async run(_, { signal, delivery }) {
        seen.push(delivery?.attempt);
        if (seen.length > 1) return;
        started.resolve();
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    });
    await engine.enqueue(job, undefined);
    const worker = await engine.work({ jobs: [job] });
    await started.promise;
    await worker.stop({ graceMs: 0 });
    assert.equal((await countsOf(engine, job.name)).waiting, 1);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
    assert.deepEqual(seen, [1, 1]);
  });

  declare("does not spend the attempt of a handler that it abandons", async (kit) => {
    const { engine, recorder } = await kit.open();
    const seen: unknown[] = [];
    const started = deferred();
    const end = deferred();
    const job = defineJob({
      name: kit.name("deaf"),
      maxAttempts: 1,
      async run(_, { delivery }) {
        seen.push(delivery?.attempt);
        if (seen.length > 1) return;
        started.resolve();
        await end.promise;
        throw new Error("too late to count");
      },
    });
    await engine.enqueue(job, undefined);
    const worker = await engine.work({ jobs: [job] });
    await started.promise;
    await worker.stop({ graceMs: 0, abortMs: 0 });
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
    end.resolve();
    await eventually(() =>
      assert.equal(recorder.runs.filter(({ status }) => status !== "running").length, 2),
    );
    assert.deepEqual(seen, [1, 1]);
    const { succeeded, deadLettered } = await countsOf(engine, job.name);
    assert.deepEqual({ succeeded, deadLettered }, { succeeded: 1, deadLettered: 0 });
  });
};
