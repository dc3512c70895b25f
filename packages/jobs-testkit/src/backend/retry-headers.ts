import assert from "node:assert/strict";
import type { LeasedJob } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";
import { withShortLeases } from "./lease-time.ts";

const headers = { traceparent: "00-1-2-01", tracestate: 'a="ü",b=2', baggage: "x".repeat(8_000) };

const retried = (carrier?: Readonly<Record<string, string>>) =>
  ({ type: "retried", delayMs: 1, error: "once", ...(carrier && { carrier }) }) as const;

function assertHeaders({ previousCarrier }: LeasedJob, expected: object | undefined, why: string): void {
  assert.deepEqual(previousCarrier && { ...previousCarrier }, expected, why);
}

export const retryHeaders: Behaviour<BackendKit> = (declare) => {
  declare("come with the next delivery, and are replaced by those of the next retry", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("headers");
    await backend.insert([kit.job(name)], {});
    const consumer = await kit.consumer(await kit.another(backend), name);
    const first = await consumer.next();
    assertHeaders(first, undefined, "a first attempt has none");
    assert.equal(await consumer.settle(first, retried(headers)), true);
    const second = await consumer.next();
    assertHeaders(second, headers, "the next delivery has what the retry stored");
    assert.equal(await consumer.settle(second, { type: "released" }), true);
    const released = await consumer.next();
    assertHeaders(released, headers, "a released job keeps them");
    assert.equal(await consumer.settle(released, retried({ traceparent: "00-3-4-01" })), true);
    const third = await consumer.next();
    assertHeaders(third, { traceparent: "00-3-4-01" }, "each retry replaces those before");
    assert.equal(await consumer.settle(third, retried()), true);
    const last = await consumer.next();
    assertHeaders(last, undefined, "a retry without headers leaves none");
    assert.equal(await consumer.settle(last, retried(headers)), true);
    const dying = await consumer.next();
    assert.equal(await consumer.settle(dying, { type: "dead-lettered", error: "no" }), true);
    assert.equal(await backend.redrive(dying.id), true);
    assertHeaders(await consumer.next(), undefined, "a redriven job begins anew");
  });

  declare("come with a snooze, too, if the backend claims `snoozing`", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.snoozing) return;
    const name = kit.name("snoozed");
    await backend.insert([kit.job(name)], {});
    const consumer = await kit.consumer(backend, name);
    const first = await consumer.next();
    assert.equal(await consumer.settle(first, { type: "snoozed", delayMs: 1, carrier: headers }), true);
    const second = await consumer.next();
    assert.equal(second.attempt, 1);
    assertHeaders(second, headers, "the delivery after a snooze has what the snooze stored");
    assert.equal(await consumer.settle(second, retried(headers)), true);
    const third = await consumer.next();
    assertHeaders(third, headers, "a retry after a snooze stores its own");
    assert.equal(await consumer.settle(third, { type: "snoozed", delayMs: 1 }), true);
    assertHeaders(await consumer.next(), undefined, "a snooze without headers leaves none");
  });

  declare("are not those of an attempt before a stalled one", (kit) =>
    withShortLeases(kit, async ({ leaseMs, renew }) => {
      const backend = await kit.open(leaseMs);
      if (!backend.capabilities.persistence) return;
      const name = kit.name("stalled");
      await backend.insert([kit.job(name)], {});
      const dead = await kit.consumer(backend, name);
      const first = await dead.next();
      const renewing = renew(dead, backend, [first]);
      assert.equal(await dead.settle(first, retried(headers)), true);
      renewing.stop();
      await dead.next();
      const other = await kit.consumer(await kit.another(backend, leaseMs), name);
      const third = await other.next(10 * backend.leaseMs + 30_000);
      assert.deepEqual([third.attempt, third.followsStalled], [3, true]);
      assertHeaders(third, undefined, "the attempt before this one stored none");
      assert.equal(await other.settle(third, { type: "released" }), true);
      assertHeaders(await other.next(), undefined, "a release brings none back");
    }),
  );
};
