import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { JobBackend, NewJob } from "@nidus/jobs-durable/backend";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { allStored, type BackendKit, countsOf } from "./backend-kit.ts";

const racers = 20;
const rounds = 4;

/** Longer than any test. */
const longMs = 3_600_000;

/** How often the test of a worker's death is run, each time with leases that are twice as long. */
const tries = 4;

export const uniqueKeys: Behaviour<BackendKit> = (declare) => {
  declare("let one of many jobs be stored that come at the same time", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.uniqueKeys) return;
    const backends = [backend, await kit.another(backend)];
    const name = kit.name("racing");
    const consumer = await kit.consumer(backend, name);
    for (let round = 0; round < rounds; round++) {
      const jobs = Array.from({ length: racers }, () => kit.job(name, { uniqueKey: "same" }));
      const answers = (
        await Promise.all(jobs.map((job, racer) => backends[racer % 2]?.insert([job], {})))
      ).flat();
      const stored = answers.filter((answer) => answer?.isDuplicate === false);
      assert.equal(stored.length, 1, `${stored.length} of ${racers} jobs with one key were stored`);
      const ids = new Set(answers.map((answer) => answer?.id));
      assert.deepEqual([...ids], [stored[0]?.id], "a duplicate has the id of the job that holds the key");
      assert.equal((await countsOf(backend, name)).waiting, 1);
      const leased = await consumer.next();
      assert.equal(leased.id, stored[0]?.id);
      assert.equal(await consumer.settle(leased, { type: "succeeded" }), true);
    }
  });

  declare("hold per job name, and for a job that is to run later", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.uniqueKeys) return;
    const [name, other] = [kit.name("one"), kit.name("other")];
    const later = kit.job(name, { uniqueKey: "k: ö", runAt: new Date(Date.now() + longMs) });
    assert.deepEqual(await backend.insert([later], {}), allStored([later]));
    await requireHeld(backend, later);
    for (const free of [
      kit.job(name, { uniqueKey: "k" }),
      kit.job(name),
      kit.job(other, { uniqueKey: "k: ö" }),
      kit.job(name, { uniqueKey: "long ".repeat(102) }),
    ]) {
      assert.deepEqual(await backend.insert([free], {}), allStored([free]));
    }
    const long = kit.job(name, { uniqueKey: "long ".repeat(102) });
    assert.equal((await backend.insert([long], {}))[0]?.isDuplicate, true);
    assert.equal(await backend.holderOf?.(name, "unknown"), undefined);
    assert.equal(await backend.holderOf?.(kit.name("unknown"), "k"), undefined);
  });

  declare("hold through retries, snoozes and releases", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.uniqueKeys) return;
    const name = kit.name("held");
    const consumer = await kit.consumer(backend, name);
    const job = kit.job(name, { uniqueKey: "held" });
    await backend.insert([job], {});
    const leased = await consumer.next();
    await requireHeld(backend, job);
    assert.equal(await consumer.settle(leased, { type: "retried", delayMs: 300, error: "once" }), true);
    await requireHeld(backend, job);
    assert.equal(await consumer.settle(await consumer.next(), { type: "released" }), true);
    await requireHeld(backend, job);
    let last = await consumer.next();
    if (backend.capabilities.snoozing) {
      assert.equal(await consumer.settle(last, { type: "snoozed", delayMs: 50 }), true);
      await requireHeld(backend, job);
      last = await consumer.next();
    }
    assert.equal(await consumer.settle(last, { type: "succeeded" }), true);
    await requireFree(kit, backend, job);
  });

  declare("hold through the death of a worker, and are free once the job is given up", async (kit) => {
    for (let { leaseMs } = kit.fixtures, left = tries; ; leaseMs *= 2, left--) {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.uniqueKeys || !backend.capabilities.persistence) return;
      const name = kit.name("dying");
      const job = kit.job(name, { uniqueKey: "dying", maxAttempts: 1 });
      await backend.insert([job], {});
      const consumer = await kit.consumer(backend, name);
      // No worker renews its lease.
      await consumer.next();
      const last = await consumer.next();
      const leasedMs = performance.now();
      assert.equal(last.id, job.id);
      try {
        await requireHeld(backend, job);
        assert.equal(await consumer.settle(last, { type: "dead-lettered", error: "given up" }), true);
        return await requireFree(kit, backend, job);
      } catch (error) {
        // On a slow machine, the second lease may end before, and the store gives the job up.
        if (left === 1 || performance.now() - leasedMs < leaseMs / 4) throw error;
      }
    }
  });

  declare("are free after every end of their job", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.uniqueKeys) return;
    const name = kit.name("ends");
    const consumer = await kit.consumer(backend, name);
    const store = async (more: Partial<NewJob> = {}): Promise<NewJob> => {
      const job = kit.job(name, { uniqueKey: "ends", ...more });
      assert.deepEqual(await backend.insert([job], {}), allStored([job]), "the key is free");
      return job;
    };
    await store();
    assert.equal(await consumer.settle(await consumer.next(), { type: "succeeded" }), true);
    await store();
    assert.equal(await consumer.settle(await consumer.next(), { type: "dead-lettered", error: "no" }), true);
    assert.equal(await backend.cancel((await store()).id), true);
    await store();
    assert.equal(await consumer.settle(await consumer.next(), { type: "cancelled" }), true);
    await store({ retainMs: 0 });
    assert.equal(await consumer.settle(await consumer.next(), { type: "succeeded" }), true);
    const last = await store();
    await requireHeld(backend, last);
  });

  declare("are not held again by a redriven job", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.uniqueKeys) return;
    const name = kit.name("redriven");
    const consumer = await kit.consumer(backend, name);
    const first = kit.job(name, { uniqueKey: "redriven" });
    await backend.insert([first], {});
    assert.equal(await consumer.settle(await consumer.next(), { type: "dead-lettered", error: "no" }), true);
    assert.equal(await backend.redrive(first.id), true);
    assert.equal(await backend.holderOf?.(name, "redriven"), undefined);
    const second = kit.job(name, { uniqueKey: "redriven" });
    assert.deepEqual(await backend.insert([second], {}), allStored([second]));
    const ids: string[] = [];
    while (ids.length < 2) {
      const leased = await consumer.next();
      ids.push(leased.id);
      assert.equal(await consumer.settle(leased, { type: "succeeded" }), true);
      if (ids.length === 1 && leased.id === first.id) await requireHeld(backend, second);
    }
    assert.deepEqual(ids.toSorted(), [first.id, second.id].toSorted());
    await requireFree(kit, backend, second);
  });

  declare(
    "hold for a time from the enqueue if that is asked for, whatever becomes of the job",
    async (kit) => {
      const backend = await kit.open();
      if (!backend.capabilities.uniqueKeys) return;
      const name = kit.name("throttled");
      const consumer = await kit.consumer(backend, name);
      const first = kit.job(name, { uniqueKey: "long", uniqueForMs: longMs });
      await backend.insert([first], {});
      assert.equal(await consumer.settle(await consumer.next(), { type: "succeeded" }), true);
      await requireHeld(backend, first);
      const throttled = kit.job(name, { uniqueKey: "short", uniqueForMs: 1_000 });
      const startMs = performance.now();
      await backend.insert([throttled], {});
      const next = kit.job(name, { uniqueKey: "short", uniqueForMs: longMs });
      await eventually(async () => assert.deepEqual(await backend.insert([next], {}), allStored([next])));
      const heldMs = performance.now() - startMs;
      // Clocks round.
      assert.ok(heldMs > 950, `the key was free after ${heldMs} ms of 1,000`);
      assert.equal((await countsOf(backend, name)).waiting, 2, "the first job has not ended");
      await requireHeld(backend, next);
      const [one, two] = await consumer.take(2);
      assert.ok(one && two);
      for (const job of [one, two]) assert.equal(await consumer.settle(job, { type: "succeeded" }), true);
      await pause(50);
      await requireHeld(backend, next);
    },
  );

  declare("that hold for a time are free as soon as their job is cancelled", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.uniqueKeys) return;
    const name = kit.name("cancelled");
    const consumer = await kit.consumer(backend, name);
    const options = { uniqueKey: "cancelled", uniqueForMs: longMs };
    const waiting = kit.job(name, options);
    await backend.insert([waiting], {});
    await requireHeld(backend, waiting);
    assert.equal(await backend.cancel(waiting.id), true);
    const running = kit.job(name, options);
    assert.deepEqual(await backend.insert([running], {}), allStored([running]));
    assert.equal(await consumer.settle(await consumer.next(), { type: "cancelled" }), true);
    await requireFree(kit, backend, running);
  });
};

/** Requires that a job holds its unique key. */
async function requireHeld(backend: JobBackend, holder: NewJob): Promise<void> {
  const { name, uniqueKey = "" } = holder;
  const another = { ...holder, id: crypto.randomUUID() };
  assert.deepEqual(await backend.insert([another], {}), [{ id: holder.id, isDuplicate: true }]);
  assert.equal(await backend.holderOf?.(name, uniqueKey), holder.id, "`holderOf` names the holder");
}

/** Requires that the unique key of a job is free, and takes it. */
async function requireFree(
  kit: BackendKit,
  backend: JobBackend,
  { name, uniqueKey = "" }: NewJob,
): Promise<void> {
  assert.equal(
    await backend.holderOf?.(name, uniqueKey),
    undefined,
    "`holderOf` names no job that has ended",
  );
  const next = kit.job(name, { uniqueKey });
  assert.deepEqual(await backend.insert([next], {}), allStored([next]), "the key is free");
}
