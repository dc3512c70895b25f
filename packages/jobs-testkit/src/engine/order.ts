import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const order: Behaviour<Kit> = (declare) => {
  declare("starts jobs of one name in the order in which they were enqueued, one at a time", async (kit) => {
    const { engine } = await kit.open();
    const started: string[] = [];
    const job = defineJob<string>({
      name: kit.name("ordered"),
      run: (payload) => void started.push(payload),
    });
    const payloads: string[] = [];
    for (const batch of ["a", "b", "c"]) {
      const together = Array.from({ length: 6 }, (_, index) => `${batch}${index}`);
      await engine.enqueueMany(job, together);
      await engine.enqueue(job, `${batch} alone`);
      payloads.push(...together, `${batch} alone`);
    }
    await engine.work({ jobs: [job], concurrency: 1 });
    await eventually(() => assert.equal(started.length, payloads.length), 60_000);
    assert.deepEqual(started, payloads);
  });

  declare("stores every job of a batch of several parts, and starts the first one first", async (kit) => {
    const { engine } = await kit.open();
    const started: number[] = [];
    const job = defineJob<number>({
      name: kit.name("parts"),
      run: (payload) => void started.push(payload),
    });
    const payloads = Array.from({ length: 1_100 }, (_, index) => index);
    const enqueued = await engine.enqueueMany(job, payloads);
    assert.equal(new Set(enqueued.map(({ id }) => id)).size, payloads.length);
    assert.equal((await countsOf(engine, job.name)).waiting, payloads.length);
    const worker = await engine.work({ jobs: [job], concurrency: 1 });
    await eventually(() => assert.ok(started.length >= 10), 60_000);
    await worker.stop();
    assert.deepEqual(started, payloads.slice(0, started.length));
  });
};
