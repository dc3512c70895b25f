import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import type { Check } from "./check.ts";
import { eventually } from "./eventually.ts";

/** A batch is enqueued at once, and answered in its order. */
export function enqueueMany(check: Check): void {
  check("enqueueMany: every job of a batch runs once, under the id of its position", async (stage) => {
    const runs: [number, string | undefined][] = [];
    const job = defineJob<number>({
      name: stage.name(),
      run: (payload, { delivery }) => void runs.push([payload, delivery?.jobId]),
    });
    const engine = await stage.engine();
    const payloads = Array.from({ length: 25 }, (_, index) => index);
    const enqueued = await engine.enqueueMany(job, payloads);
    assert.equal(enqueued.length, payloads.length);
    assert.ok(enqueued.every(({ isDuplicate }) => !isDuplicate));
    assert.equal(
      new Set(enqueued.map(({ id }) => id)).size,
      payloads.length,
      "every job has an id of its own",
    );

    await stage.work(engine, { jobs: [job], concurrency: 5 });
    await eventually(async () => assert.equal((await stage.counts(engine, job.name)).succeeded, 25));
    assert.deepEqual(
      runs.sort(([a], [b]) => a - b),
      enqueued.map(({ id }, index) => [index, id]),
    );
  });

  check("enqueueMany: an empty batch stores nothing", async (stage) => {
    const job = defineJob<number>({ name: stage.name(), run: () => {} });
    const engine = await stage.engine();
    assert.deepEqual(await engine.enqueueMany(job, []), []);
    const { waiting, scheduled } = await stage.counts(engine, job.name);
    assert.deepEqual({ waiting, scheduled }, { waiting: 0, scheduled: 0 });
  });
}
