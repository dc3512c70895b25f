import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Behaviour } from "../contract/test-plan.ts";
import { allStored, type BackendKit, countsOf } from "./backend-kit.ts";

const answerMs = 1_000;

export const transactions: Behaviour<BackendKit> = (declare) => {
  declare("of the caller's decide whether a job is stored, if the backend claims them", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.transactions) return;
    const { transaction } = kit.fixtures;
    assert.ok(
      transaction,
      "`capabilities.transactions` is claimed: pass `transaction`, so that it can be tested",
    );
    const name = kit.name("transaction");
    const [kept, undone] = [kit.job(name), kit.job(name)];
    await transaction(async (options) => {
      assert.deepEqual(await backend.insert([kept], options), allStored([kept]));
      // A store with one connection answers only once the transaction has ended.
      const counted = await Promise.race([countsOf(backend, name), pause(answerMs, undefined)]);
      assert.equal(counted?.waiting ?? 0, 0, "a job is stored before the transaction commits");
    });
    assert.equal((await countsOf(backend, name)).waiting, 1, "the transaction has committed");
    const reason = new Error("rolled back");
    await assert.rejects(
      transaction(async (options) => {
        assert.deepEqual(await backend.insert([undone], options), allStored([undone]));
        throw reason;
      }),
      (error) => error === reason,
    );
    const consumer = await kit.consumer(backend, name);
    assert.deepEqual(
      (await consumer.take(1)).map(({ id }) => id),
      [kept.id],
    );
    assert.deepEqual(
      await consumer.takeFor(200),
      [],
      "a job is there although its transaction was rolled back",
    );
  });
};
