import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";
import { withShortLeases } from "./lease-time.ts";

export const renewal: Behaviour<BackendKit> = (declare) => {
  declare("keeps the leases that it is asked to renew, and no others", (kit) =>
    withShortLeases(kit, async ({ leaseMs, renew }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const name = kit.name("renewed");
      await backend.insert(kit.jobs(name, 3), {});
      const consumer = await kit.consumer(backend, name);
      const [first, second, left] = await consumer.take(3);
      assert.ok(first && second && left);
      const renewing = renew(consumer, backend, [first, second]);
      const other = await kit.consumer(await kit.another(backend, leaseMs), name);
      const again = await other.next(10 * backend.leaseMs + 30_000);
      assert.equal(again.id, left.id, "a job came to another consumer although its lease was renewed");
      const keeping = renew(other, backend, [again]);
      const taken = await other.takeFor(2.5 * backend.leaseMs);
      assert.deepEqual(taken, [], "a job came to another consumer although its lease was renewed");
      renewing.stop();
      keeping.stop();
      for (const job of [first, second]) {
        assert.equal(await consumer.settle(job, { type: "succeeded" }), true, "its lease was renewed");
      }
    }),
  );

  declare("does not take back a lease that was lost", (kit) =>
    withShortLeases(kit, async ({ leaseMs, renew }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const name = kit.name("lost");
      await backend.insert(kit.jobs(name, 1), {});
      const slow = await kit.consumer(backend, name);
      const lost = await slow.next();
      const other = await kit.consumer(await kit.another(backend, leaseMs), name);
      const again = await other.next(10 * backend.leaseMs + 30_000);
      const renewing = renew(other, backend, [again]);
      await slow.consumer.renewLeases([lost]);
      assert.equal(await slow.settle(lost, { type: "succeeded" }), false, "the lease is another consumer's");
      renewing.stop();
      assert.equal(
        await other.settle(again, { type: "succeeded" }),
        true,
        "a late renewal has taken the job back",
      );
    }),
  );

  declare("does not extend the lease of another consumer", (kit) =>
    withShortLeases(kit, async ({ leaseMs, renew }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const name = kit.name("held");
      await backend.insert(kit.jobs(name, 1), {});
      const slow = await kit.consumer(backend, name);
      const lost = await slow.next();
      const other = await kit.another(backend, leaseMs);
      const dead = await kit.consumer(other, name);
      await dead.next(10 * backend.leaseMs + 30_000);
      renew(slow, backend, [lost]);
      const third = await kit.consumer(other, name);
      // Renewals of the first consumer must not keep the job with the second one, which is dead.
      const again = await third.next(10 * backend.leaseMs + 30_000);
      assert.equal(again.id, lost.id);
    }),
  );

  declare("leaves jobs alone that have ended", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("ended");
    await backend.insert(kit.jobs(name, 2), {});
    const consumer = await kit.consumer(backend, name);
    const [ended, back] = await consumer.take(2);
    assert.ok(ended && back);
    await consumer.settle(ended, { type: "succeeded" });
    await consumer.settle(back, { type: "retried", delayMs: 60_000, error: "once" });
    await consumer.consumer.renewLeases([ended, back]);
    const { succeeded, scheduled, running } = await countsOf(backend, name);
    assert.deepEqual({ succeeded, scheduled, running }, { succeeded: 1, scheduled: 1, running: 0 });
  });
};
