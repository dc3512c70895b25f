import assert from "node:assert/strict";
import type { JobOutcome, LeasedJob } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";
import { withShortLeases } from "./lease-time.ts";
import type { TestedConsumer } from "./tested-consumer.ts";

const basicOutcomes: readonly JobOutcome[] = [
  { type: "succeeded" },
  { type: "retried", delayMs: 0, error: "too late" },
  { type: "dead-lettered", error: "too late" },
  { type: "cancelled" },
  { type: "released" },
];

export const fencing: Behaviour<BackendKit> = (declare) => {
  declare("refuses every outcome from a consumer whose lease another one has by now", (kit) =>
    withShortLeases(kit, async ({ leaseMs, renew }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const snoozed: JobOutcome = { type: "snoozed", delayMs: 0 };
      const outcomes = [...basicOutcomes, ...(backend.capabilities.snoozing ? [snoozed] : [])];
      const name = kit.name("fenced");
      await backend.insert(kit.jobs(name, outcomes.length), {});
      const late = await kit.consumer(backend, name);
      const lost = await late.take(outcomes.length);
      const other = await kit.consumer(await kit.another(backend, leaseMs), name);
      const held = await takeAgain(other, outcomes.length, backend.leaseMs, (jobs) =>
        renew(other, backend, jobs),
      );
      for (const [index, outcome] of outcomes.entries()) {
        const job = lost[index];
        assert.ok(job);
        assert.equal(
          await late.settle(job, outcome),
          false,
          `"${outcome.type}" of a lost lease was recorded`,
        );
      }
      const { running } = await countsOf(backend, name);
      assert.equal(running, outcomes.length, "a refused outcome has changed a job");
      for (const job of held) {
        assert.equal(await other.settle(job, { type: "succeeded" }), true, "the lease is held");
      }
      const { succeeded, ...rest } = await countsOf(backend, name);
      assert.equal(succeeded, outcomes.length, JSON.stringify(rest));
    }),
  );

  declare("tells two deliveries to one consumer apart", (kit) =>
    withShortLeases(kit, async ({ leaseMs }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const name = kit.name("twice");
      await backend.insert(kit.jobs(name, 1), {});
      const consumer = await kit.consumer(backend, name);
      const first = await consumer.next();
      const second = await consumer.next(10 * backend.leaseMs + 30_000);
      const late: JobOutcome = { type: "dead-lettered", error: "of the first delivery" };
      assert.equal(
        await consumer.settle(first, late),
        false,
        "the token is the worker's, and not the delivery's",
      );
      assert.equal(await consumer.settle(second, { type: "succeeded" }), true);
    }),
  );

  declare("changes nothing if an outcome comes a second time", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("repeated");
    await backend.insert(kit.jobs(name, 2), {});
    const consumer = await kit.consumer(backend, name);
    const [ended, failed] = await consumer.take(2);
    assert.ok(ended && failed);
    const retry: JobOutcome = { type: "retried", delayMs: 0, error: "once" };
    assert.equal(await consumer.settle(ended, { type: "succeeded" }), true);
    assert.equal(await consumer.settle(failed, retry), true);
    await consumer.settle(ended, { type: "succeeded" });
    await consumer.settle(failed, retry);
    const again = await consumer.next();
    assert.deepEqual([again.id, again.attempt], [failed.id, 2]);
    assert.equal(await consumer.settle(ended, { type: "dead-lettered", error: "no" }), false, "it has ended");
    assert.equal(await consumer.settle(again, { type: "succeeded" }), true);
    assert.equal((await countsOf(backend, name)).succeeded, 2);
  });
};

/** Takes jobs whose leases end one after the other, and keeps those that it has already. */
async function takeAgain(
  consumer: TestedConsumer,
  count: number,
  leaseMs: number,
  keep: (jobs: readonly LeasedJob[]) => unknown,
): Promise<LeasedJob[]> {
  const taken: LeasedJob[] = [];
  while (taken.length < count) {
    const job = await consumer.next(10 * leaseMs + 30_000);
    keep([job]);
    taken.push(job);
  }
  return taken;
}
