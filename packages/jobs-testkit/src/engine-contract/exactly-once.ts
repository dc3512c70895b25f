import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import type { Check } from "./check.ts";
import { eventually } from "./eventually.ts";

const count = 200;

/** While nothing dies, at least once is exactly once. */
export function exactlyOnce(check: Check): void {
  check("exactly once: three workers share many jobs, none lost and none twice", async (stage) => {
    const runs = new Map<number, number>();
    const job = defineJob<number>({
      name: stage.name(),
      run: (payload) => void runs.set(payload, (runs.get(payload) ?? 0) + 1),
    });
    const engine = await stage.engine();
    const other = engine.capabilities.persistence ? await stage.engine() : engine;
    const payloads = Array.from({ length: count }, (_, index) => index);
    for (const each of [engine, engine, other]) await stage.work(each, { jobs: [job], concurrency: 4 });
    await engine.enqueueMany(job, payloads.slice(0, count / 2));
    for (const payload of payloads.slice(count / 2)) await engine.enqueue(job, payload);

    await eventually(async () => {
      const { succeeded, waiting, running, scheduled } = await stage.counts(engine, job.name);
      assert.deepEqual(
        { succeeded, open: waiting + running + scheduled },
        { succeeded: count, open: 0 },
        `${count} jobs succeeded`,
      );
    });
    assert.equal(runs.size, count, "every job ran");
    assert.deepEqual(
      [...runs].filter(([, times]) => times !== 1),
      [],
      "no job ran twice",
    );
  });
}
