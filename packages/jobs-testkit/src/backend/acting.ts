import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";

/** A busy machine takes its time, and the jobs that run are to run all the time. */
const longLeaseMs = 600_000;

export const acting: Behaviour<BackendKit> = (declare) => {
  declare("`reschedule` moves the start of what has not started, and of nothing else", async (kit) => {
    const backend = await kit.open(longLeaseMs);
    if (!backend.capabilities.listing) return;
    assert.ok(backend.reschedule && backend.job, "`reschedule` and `job` are there");
    const name = kit.name("rescheduled");
    const later = new Date(Date.now() + 3_600_000);
    const latest = new Date(later.getTime() + 3_600_000);
    const [waits, runs, ends] = kit.jobs(name, 3);
    const isLater = kit.job(name, { runAt: later });
    assert.ok(waits && runs && ends);
    await backend.insert([ends], {});
    await backend.insert([runs], {});
    const consumer = await kit.consumer(backend, name);
    const [first] = await consumer.take(2);
    assert.ok(first);
    await consumer.settle(first, { type: "succeeded" });
    await backend.insert([waits], {});
    await backend.insert([isLater], {});
    assert.equal(await backend.reschedule(waits.id, latest), true);
    const moved = await backend.job(waits.id, { withPayload: false });
    assert.deepEqual([moved?.state, moved?.runAt.getTime()], ["scheduled", latest.getTime()]);
    assert.deepEqual(await consumer.takeFor(200), [], "it does not start before its time");
    assert.equal(await backend.reschedule(isLater.id, new Date(Date.now() - 1_000)), true);
    assert.equal((await consumer.next()).id, isLater.id, "a job can be moved to now");
    // A store may give a job to a consumer that has just waited: no consumer takes this one.
    const unattended = kit.job(kit.name("unattended"), { runAt: later });
    await backend.insert([unattended], {});
    assert.equal(await backend.reschedule(unattended.id, new Date(Date.now() - 1_000)), true);
    assert.equal((await backend.job(unattended.id, { withPayload: false }))?.state, "waiting");
    assert.equal(await backend.reschedule(runs.id, latest), false, "it runs");
    assert.equal(await backend.reschedule(ends.id, latest), false, "it has ended");
    for (const id of ["unknown", "meta", crypto.randomUUID()]) {
      assert.equal(await backend.reschedule(id, latest), false);
    }
  });

  declare(
    "`cancelAll` cancels what waits and asks what runs, each job for one of many callers",
    async (kit) => {
      const backend = await kit.open(longLeaseMs);
      if (!backend.capabilities.listing) return;
      assert.ok(backend.cancelAll, "`cancelAll` is there");
      const name = kit.name("cancelled");
      const jobs = [...kit.jobs(name, 20), kit.job(name, { runAt: new Date(Date.now() + 3_600_000) })];
      for (const job of jobs) await backend.insert([job], {});
      const [other] = kit.jobs(kit.name("other"), 1);
      assert.ok(other);
      await backend.insert([other], {});
      const consumer = await kit.consumer(backend, name);
      const [first, second] = await consumer.take(2);
      assert.ok(first && second);
      await consumer.settle(first, { type: "succeeded" });
      const ids = [...jobs.map(({ id }) => id), other.id, crypto.randomUUID(), "unknown"];
      const answers = await Promise.all([1, 2, 3].map(() => backend.cancelAll?.(name, ids)));
      const expected = jobs.map(({ id }) => id).filter((id) => id !== first.id);
      assert.deepEqual(answers.flat().toSorted(), expected.toSorted());
      assert.deepEqual(await consumer.consumer.cancelRequests([second]), [second.id]);
      const { cancelled, running, waiting, scheduled } = await countsOf(backend, name);
      assert.deepEqual(
        { cancelled, running, waiting, scheduled },
        { cancelled: 19, running: 1, waiting: 0, scheduled: 0 },
      );
      assert.equal((await countsOf(backend, other.name)).waiting, 1, "a job of another name");
      assert.deepEqual(await backend.cancelAll(name, []), []);
    },
  );

  declare("`redriveAll` redrives dead letters, each for one of many callers", async (kit) => {
    const backend = await kit.open(longLeaseMs);
    if (!backend.capabilities.listing) return;
    assert.ok(backend.redriveAll, "`redriveAll` is there");
    const name = kit.name("redriven");
    const jobs = kit.jobs(name, 6);
    await backend.insert(jobs, {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.take(6);
    for (const job of leased.slice(0, 4)) await consumer.settle(job, { type: "dead-lettered", error: "no" });
    const ids = [...leased.map(({ id }) => id), crypto.randomUUID(), "unknown"];
    const answers = await Promise.all([1, 2, 3].map(() => backend.redriveAll?.(name, ids)));
    assert.deepEqual(answers.flat().toSorted(), ids.slice(0, 4).toSorted());
    assert.deepEqual(await backend.redriveAll(kit.name("other"), ids), []);
    const again = await consumer.take(4);
    assert.deepEqual(
      again.map(({ attempt }) => attempt),
      [1, 1, 1, 1],
    );
  });
};
