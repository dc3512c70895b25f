import assert from "node:assert/strict";
import type { LeasedJob } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";
import { withShortLeases } from "./lease-time.ts";

/** How far the clocks of a store and of this process may be apart, in milliseconds. */
const skewMs = 60_000;

export const moments: Behaviour<BackendKit> = (declare) => {
  declare("`enqueuedAt` is when a job was stored, in every delivery", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("stored");
    const storedMs = Date.now();
    await backend.insert([kit.job(name)], {});
    const consumer = await kit.consumer(backend, name);
    const first = await consumer.next();
    assert.ok(Math.abs(first.enqueuedAt.getTime() - storedMs) < skewMs, `${first.enqueuedAt.toISOString()}`);
    await consumer.settle(first, { type: "retried", delayMs: 300, error: "once" });
    const second = await consumer.next();
    assertSame(first, second, "a retry");
    await consumer.settle(second, { type: "released" });
    const third = await consumer.next();
    assertSame(first, third, "a release");
    await consumer.settle(third, { type: "dead-lettered", error: "no" });
    assert.equal(await backend.redrive(third.id), true);
    assertSame(first, await consumer.next(), "a redrive");
  });

  declare("`enqueuedAt` stays after a worker's death", (kit) =>
    withShortLeases(kit, async ({ leaseMs }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const name = kit.name("dead");
      await backend.insert([kit.job(name)], {});
      const consumer = await kit.consumer(backend, name);
      assertSame(await consumer.next(), await consumer.next(10 * backend.leaseMs + 30_000), "a lost lease");
    }),
  );

  declare("`enqueuedAt` and `runAt` of a job for later are two moments", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("later");
    const runAt = new Date(Date.now() + 900);
    await backend.insert([kit.job(name, { runAt })], {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.next();
    assert.equal(
      leased.runAt.toISOString(),
      runAt.toISOString(),
      "`runAt` as it was given, to the millisecond",
    );
    assert.notEqual(leased.enqueuedAt.toISOString(), runAt.toISOString(), "two moments");
  });
};

function assertSame(first: LeasedJob, again: LeasedJob, after: string): void {
  const [was, is] = [first.enqueuedAt.toISOString(), again.enqueuedAt.toISOString()];
  assert.equal(is, was, `\`enqueuedAt\` has changed with ${after}`);
}
