import assert from "node:assert/strict";
import { defineJob, type EnqueuedJob } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import { assertForgotten, shortRetentionMs } from "../contract/retention.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

const states = ["succeeded", "cancelled", "deadLettered"] as const;

export const retention: Behaviour<Kit> = (declare) => {
  declare("forgets ended jobs when it is over, and frees their idempotency keys", async (kit) => {
    const engine = await kit.openWithRetention({
      retainSucceededMs: shortRetentionMs,
      retainDeadLettersMs: shortRetentionMs,
    });
    if (engine === undefined) return;
    const job = defineJob<string>({
      name: kit.name("forgotten"),
      maxAttempts: 1,
      run(payload) {
        if (payload === "deadLettered") throw new Error("no");
      },
    });
    const endedMs = performance.now();
    const enqueue = (state: string): Promise<EnqueuedJob> =>
      engine.enqueue(job, state, { idempotencyKey: state });
    for (const state of states) {
      const { id } = await enqueue(state);
      if (state === "cancelled") assert.equal(await engine.cancel(id), true);
    }
    const worker = await engine.work({ jobs: [job] });
    await eventually(async () => {
      const { waiting, running } = await countsOf(engine, job.name);
      assert.deepEqual({ waiting, running }, { waiting: 0, running: 0 });
    });
    await worker.stop();
    for (const state of states) {
      const count = async (): Promise<number> => (await countsOf(engine, job.name))[state];
      await assertForgotten(`the ${state} job`, endedMs, count);
    }
    const letters = await engine.deadLetters({ limit: 10_000 });
    assert.equal(
      letters.some(({ jobName }) => jobName === job.name),
      false,
    );
    for (const state of states) {
      assert.equal((await enqueue(state)).isDuplicate, false, `the key of the ${state} job is free`);
    }
  });
};
