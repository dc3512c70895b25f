import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";

export const outcomes: Behaviour<BackendKit> = (declare) => {
  declare("bring a released job back at once, without an attempt spent", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("released");
    await backend.insert([kit.job(name, { maxAttempts: 1 })], {});
    const consumer = await kit.consumer(backend, name);
    for (let time = 0; time < 3; time++) {
      const job = await consumer.next();
      assert.equal(job.attempt, 1, "releasing a job spends no attempt");
      assert.equal(job.followsStalled, false);
      assert.equal(await consumer.settle(job, { type: "released" }), true);
    }
    const { waiting, running } = await countsOf(backend, name);
    assert.deepEqual({ waiting, running }, { waiting: 1, running: 0 });
  });

  declare("bring a failed job back after its delay, and not before", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("retried");
    await backend.insert([kit.job(name)], {});
    const consumer = await kit.consumer(backend, name);
    const first = await consumer.next();
    const settledMs = performance.now();
    assert.equal(await consumer.settle(first, { type: "retried", delayMs: 700, error: "once" }), true);
    assert.equal((await countsOf(backend, name)).running, 0);
    const again = await consumer.next();
    const afterMs = performance.now() - settledMs;
    // Clocks round.
    assert.ok(afterMs >= 650, `it came after ${afterMs} ms of 700`);
    assert.deepEqual([again.attempt, again.followsStalled], [2, false]);
    assert.ok(again.runAt.getTime() > first.runAt.getTime(), "`runAt` is the moment of this attempt");
  });

  declare("end a job for good, and keep the error of a dead letter", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("ended");
    const jobs = kit.jobs(name, 3);
    await backend.insert(jobs, {});
    const consumer = await kit.consumer(backend, name);
    const [succeeded, dead, cancelled] = await consumer.take(3);
    assert.ok(succeeded && dead && cancelled);
    const beforeMs = Date.now();
    assert.equal(await consumer.settle(succeeded, { type: "succeeded" }), true);
    assert.equal(await consumer.settle(dead, { type: "dead-lettered", error: "the mailbox is full" }), true);
    assert.equal(await consumer.settle(cancelled, { type: "cancelled" }), true);
    const counts = await countsOf(backend, name);
    assert.deepEqual([counts.succeeded, counts.deadLettered, counts.cancelled], [1, 1, 1]);
    assert.deepEqual([counts.scheduled, counts.waiting, counts.running], [0, 0, 0]);
    const letter = (await backend.deadLetters(1_000)).find(({ id }) => id === dead.id);
    assert.ok(letter, "a dead letter is listed");
    const { jobName, payload, attempts, error } = letter;
    assert.deepEqual(
      { jobName, payload, attempts, error },
      { jobName: name, payload: dead.envelope.payload, attempts: 1, error: "the mailbox is full" },
    );
    assert.ok(
      Math.abs(letter.failedAt.getTime() - beforeMs) < 60_000,
      "`failedAt` is the end of its last attempt",
    );
    assert.deepEqual(await consumer.takeFor(200, 3), [], "what has ended does not come again");
  });

  declare("of a redriven job count from one again, and forget an earlier cancellation", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("redriven");
    const job = kit.job(name, { maxAttempts: 1 });
    await backend.insert([job], {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.next();
    assert.equal(await consumer.settle(leased, { type: "dead-lettered", error: "no" }), true);
    const redriven = await Promise.all([backend.redrive(job.id), backend.redrive(job.id)]);
    assert.deepEqual(redriven.toSorted(), [false, true]);
    const again = await consumer.next();
    assert.deepEqual([again.attempt, again.isCancelRequested, again.followsStalled], [1, false, false]);
  });
};
