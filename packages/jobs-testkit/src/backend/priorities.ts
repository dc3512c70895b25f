import assert from "node:assert/strict";
import type { NewJob } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";
import type { TestedConsumer } from "./tested-consumer.ts";

export const priorities: Behaviour<BackendKit> = (declare) => {
  declare("order the jobs of a name, and enqueues order the jobs of a priority", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.priorities) return;
    const name = kit.name("ranked");
    const jobs: NewJob[] = [];
    for (const ranks of [[5, 9, 0], [9], [5, 0, 0, 5, 1], [0], [9]]) {
      const batch = ranks.map((priority) => kit.job(name, { priority }));
      jobs.push(...batch);
      await backend.insert(batch, {});
    }
    assert.equal((await countsOf(backend, name)).waiting, jobs.length, "all of them wait");
    if (backend.capabilities.listing) {
      const stored = await backend.job?.(jobs[0]?.id ?? "", { withPayload: false });
      assert.equal(stored?.priority, 5, "`job` tells the priority");
    }
    const consumer = await kit.consumer(backend, name);
    assert.deepEqual(await drained(consumer, jobs.length), ranked(jobs));
  });

  declare("stay through retries and releases", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.priorities) return;
    const name = kit.name("kept");
    const consumer = await kit.consumer(backend, name);
    const [last, first] = [kit.job(name, { priority: 7 }), kit.job(name, { priority: 2 })];
    await backend.insert([last], {});
    assert.equal(await consumer.settle(await consumer.next(), { type: "released" }), true);
    await backend.insert([first], {});
    const leased = await consumer.next();
    assert.equal(leased.id, first.id, "a released job keeps its priority");
    assert.equal(await consumer.settle(leased, { type: "retried", delayMs: 1, error: "once" }), true);
    const middle = [3, 1, 5].map((priority) => kit.job(name, { priority }));
    await backend.insert(middle, {});
    // The retried job is due by the time that another one has come and gone.
    const early = await consumer.next();
    const due = await consumer.take(4);
    for (const job of [...due].reverse()) {
      assert.equal(await consumer.settle(job, { type: "released" }), true);
    }
    assert.equal(await consumer.settle(early, { type: "released" }), true);
    assert.deepEqual(await drained(consumer, 5), ranked([first, last, ...middle]));
  });

  declare("order jobs that were enqueued for later, once these are due", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.priorities) return;
    const name = kit.name("later");
    const runAt = new Date(Date.now() + 500);
    const jobs = [8, 0, 3].map((priority) => kit.job(name, { priority, runAt }));
    for (const job of jobs) await backend.insert([job], {});
    const consumer = await kit.consumer(backend, name);
    const arrived = await consumer.take(3);
    for (const job of arrived) assert.equal(await consumer.settle(job, { type: "released" }), true);
    assert.deepEqual(await drained(consumer, 3), ranked(jobs));
  });
};

/** Runs so many jobs one by one. Resolves to their ids. */
async function drained(consumer: TestedConsumer, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const job = await consumer.next();
    ids.push(job.id);
    assert.equal(await consumer.settle(job, { type: "succeeded" }), true);
  }
  return ids;
}

/** The ids of jobs in the order in which they are to start. */
function ranked(jobs: readonly NewJob[]): string[] {
  return jobs.toSorted((a, b) => a.priority - b.priority).map(({ id }) => id);
}
