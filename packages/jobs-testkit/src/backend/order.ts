import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";

/** How often the test of due moments runs, each time with moments that are farther apart. */
const tries = 6;

export const order: Behaviour<BackendKit> = (declare) => {
  declare("is that of enqueuing among jobs that are due, over batches and single jobs", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("ordered");
    const jobs = kit.jobs(name, 12);
    await backend.insert(jobs.slice(0, 5), {});
    await backend.insert(jobs.slice(5, 6), {});
    await backend.insert(jobs.slice(6), {});
    const consumer = await kit.consumer(backend, name);
    const ids: string[] = [];
    while (ids.length < jobs.length) {
      const job = await consumer.next();
      ids.push(job.id);
      await consumer.settle(job, { type: "succeeded" });
    }
    assert.deepEqual(
      ids,
      jobs.map(({ id }) => id),
      "the oldest comes first",
    );
  });

  declare("is that of due moments, whatever was enqueued first", async (kit) => {
    const backend = await kit.open();
    for (let gapMs = 400, left = tries; left > 0; gapMs *= 2, left--) {
      const name = kit.name("due");
      const nowMs = Date.now();
      const due = [3, 1, 2].map((at) => kit.job(name, { runAt: new Date(nowMs + at * gapMs) }));
      for (const job of due) await backend.insert([job], {});
      const consumer = await kit.consumer(backend, name);
      const arrivals: { readonly id: string; readonly lateMs: number }[] = [];
      while (arrivals.length < due.length) {
        const { id, runAt } = await consumer.next();
        const lateMs = Date.now() - runAt.getTime();
        assert.ok(lateMs > -250, `it came ${-lateMs} ms before its moment`);
        arrivals.push({ id, lateMs });
      }
      // Of jobs that are all overdue, stores differ in which comes first: such a round says nothing.
      if (left > 1 && arrivals.some(({ lateMs }) => lateMs > gapMs / 2)) continue;
      const expected = [due[1], due[2], due[0]].map((job) => job?.id);
      assert.deepEqual(
        arrivals.map(({ id }) => id),
        expected,
        "the job that is due first comes first",
      );
      return;
    }
  });
};
