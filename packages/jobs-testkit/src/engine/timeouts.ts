import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

export const timeouts: Behaviour<Kit> = (declare) => {
  declare("counts a job that took too long as failed, and tries it again", async (kit) => {
    const { engine, recorder } = await kit.open();
    const reasons: unknown[] = [];
    const job = defineJob({
      name: kit.name("timeout"),
      timeoutMs: 100,
      backoff: { baseMs: 1, maxMs: 1 },
      async run(_, { signal, delivery }) {
        if (delivery?.attempt !== 1) return;
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }).catch((reason) => {
          reasons.push(reason);
          throw reason;
        });
      },
    });
    await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "succeeded"]));
    assert.equal((reasons[0] as Error).name, "TimeoutError");
    assert.deepEqual(
      recorder.runs.map(({ status }) => status),
      ["failure", "success"],
    );
    assert.equal(recorder.runs[0]?.error?.cause, reasons[0], "observers hear the reason");
    assert.equal(recorder.settled[0]?.error?.cause, reasons[0]);
  });

  declare("does not interrupt a job that ends in time", async (kit) => {
    const { engine, recorder } = await kit.open();
    const signals: AbortSignal[] = [];
    const job = defineJob({
      name: kit.name("in_time"),
      timeoutMs: 200,
      run: (_, { signal }) => void signals.push(signal),
    });
    await engine.work({ jobs: [job] });
    await engine.enqueue(job, undefined, { runAt: new Date(Date.now() + 400) });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
    assert.equal(signals[0]?.aborted, false, "the time limit begins with the run");
  });
};
