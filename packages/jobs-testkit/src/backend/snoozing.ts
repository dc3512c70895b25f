import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";

export const snoozing: Behaviour<BackendKit> = (declare) => {
  declare("brings a job back after its delay, and spends no attempt, not even the only one", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.snoozing) return;
    const name = kit.name("snoozed");
    await backend.insert([kit.job(name, { maxAttempts: 1 })], {});
    const consumer = await kit.consumer(backend, name);
    let last = await consumer.next();
    for (let time = 0; time < 2; time++) {
      const settledMs = performance.now();
      assert.equal(await consumer.settle(last, { type: "snoozed", delayMs: 700 }), true);
      assert.equal((await countsOf(backend, name)).running, 0);
      const again = await consumer.next();
      const afterMs = performance.now() - settledMs;
      // Clocks round.
      assert.ok(afterMs >= 650, `it came after ${afterMs} ms of 700`);
      assert.deepEqual([again.id, again.attempt, again.followsStalled], [last.id, 1, false]);
      assert.ok(again.runAt.getTime() > last.runAt.getTime(), "`runAt` is the moment of this delivery");
      last = again;
    }
    assert.equal(await consumer.settle(last, { type: "dead-lettered", error: "no" }), true);
    const letter = (await backend.deadLetters(1_000)).find(({ id }) => id === last.id);
    assert.equal(letter?.attempts, 1);
  });

  declare("counts a snoozed job as scheduled, and keeps the attempts that it has spent", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.snoozing) return;
    const name = kit.name("later");
    await backend.insert([kit.job(name)], {});
    const consumer = await kit.consumer(backend, name);
    const first = await consumer.next();
    assert.equal(await consumer.settle(first, { type: "retried", delayMs: 0, error: "once" }), true);
    const second = await consumer.next();
    assert.equal(await consumer.settle(second, { type: "snoozed", delayMs: 0 }), true);
    const third = await consumer.next();
    assert.deepEqual([second.attempt, third.attempt], [2, 2]);
    assert.equal(await consumer.settle(third, { type: "snoozed", delayMs: 3_600_000 }), true);
    const { scheduled, waiting, running } = await countsOf(backend, name);
    assert.deepEqual({ scheduled, waiting, running }, { scheduled: 1, waiting: 0, running: 0 });
    assert.equal(await backend.cancel(third.id), true, "a snoozed job can be cancelled");
    assert.equal((await countsOf(backend, name)).cancelled, 1);
  });

  declare("does not forget that a job was cancelled before it snoozed", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.snoozing) return;
    const name = kit.name("cancelled");
    await backend.insert([kit.job(name)], {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.next();
    assert.equal(await backend.cancel(leased.id), true);
    assert.equal(await consumer.settle(leased, { type: "snoozed", delayMs: 0 }), true);
    // A store may look for the request when it records the snooze, or tell of it with the next delivery.
    if ((await countsOf(backend, name)).cancelled === 1) return;
    assert.equal((await consumer.next()).isCancelRequested, true);
  });
};
