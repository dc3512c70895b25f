import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";

export const cancelling: Behaviour<BackendKit> = (declare) => {
  declare("reaches a job that runs in another process, and outlives its delivery", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("running");
    const [job, other] = [kit.job(name), kit.job(name)];
    await backend.insert([job, other], {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.take(2);
    assert.deepEqual(await consumer.consumer.cancelRequests(leased), [], "no job was cancelled yet");
    assert.equal(await (await kit.another(backend)).cancel(job.id), true);
    assert.deepEqual(await consumer.consumer.cancelRequests(leased), [job.id]);
    const cancelled = leased.find(({ id }) => id === job.id);
    assert.ok(cancelled);
    assert.equal(await consumer.settle(cancelled, { type: "released" }), true);
    const again = await consumer.next();
    assert.equal(again.isCancelRequested, true, "a request is kept until the job has ended");
    assert.equal(await consumer.settle(again, { type: "cancelled" }), true);
    assert.equal((await countsOf(backend, name)).cancelled, 1);
  });

  declare("ends what waits, and says no of what has ended or is unknown", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("waiting");
    const waiting = kit.job(name);
    const scheduled = kit.job(name, { runAt: new Date(Date.now() + 60_000) });
    await backend.insert([waiting], {});
    await backend.insert([scheduled], {});
    for (const { id } of [waiting, scheduled]) {
      assert.equal(await backend.cancel(id), true);
      assert.equal(await backend.cancel(id), false, "it has ended");
    }
    assert.equal(await backend.cancel("no id of this store: '\"\\%"), false);
    const consumer = await kit.consumer(backend, name);
    assert.deepEqual(await consumer.takeFor(200, 2), [], "a cancelled job does not run");
  });
};
