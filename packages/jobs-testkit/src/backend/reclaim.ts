import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";
import { withShortLeases } from "./lease-time.ts";

/** A consumer that stops renewing is to others what a dead worker is. No process has to be killed for it. */
export const reclaim: Behaviour<BackendKit> = (declare) => {
  declare("gives a dead worker's job to another once its lease has ended, and not before", (kit) =>
    withShortLeases(kit, async ({ leaseMs }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const name = kit.name("dead");
      await backend.insert([kit.job(name)], {});
      const dead = await kit.consumer(backend, name);
      const other = await kit.consumer(await kit.another(backend, leaseMs), name);
      const startMs = performance.now();
      const lost = await dead.next();
      const again = await other.next(10 * backend.leaseMs + 30_000);
      const afterMs = performance.now() - startMs;
      assert.ok(afterMs > 0.9 * backend.leaseMs, `it came after ${afterMs} ms of ${backend.leaseMs}`);
      assert.equal(again.id, lost.id);
      assert.deepEqual(again.envelope, lost.envelope);
      assert.equal(again.attempt, 2, "an attempt whose worker died counts");
      assert.equal(
        again.followsStalled,
        true,
        "`followsStalled` says that the attempt before was not settled",
      );
      assert.equal(await other.settle(again, { type: "succeeded" }), true);
      assert.equal((await countsOf(backend, name)).succeeded, 1);
    }),
  );

  declare("delivers a job once more, above its attempts, after its worker died in the last one", (kit) =>
    withShortLeases(kit, async ({ leaseMs }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const name = kit.name("only");
      const job = kit.job(name, { maxAttempts: 1 });
      await backend.insert([job], {});
      const dead = await kit.consumer(backend, name);
      await dead.next();
      const other = await kit.consumer(await kit.another(backend, leaseMs), name);
      const again = await other.next(10 * backend.leaseMs + 30_000);
      assert.deepEqual([again.attempt, again.maxAttempts], [2, 1]);
      assert.equal(again.followsStalled, true);
      assert.equal(await other.settle(again, { type: "dead-lettered", error: "given up" }), true);
      const letter = (await backend.deadLetters(1_000)).find(({ id }) => id === job.id);
      assert.equal(letter?.error, "given up");
    }),
  );
};
