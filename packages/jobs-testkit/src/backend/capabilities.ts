import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";

/** A minute in winter: it does not come while the test runs. */
const cron = "0 0 1 1 *";

export const capabilities: Behaviour<BackendKit> = (declare) => {
  declare("`persistence`: another backend on the store sees the jobs", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.persistence) return;
    const name = kit.name("persistent");
    await backend.insert([kit.job(name)], {});
    const other = await kit.open();
    assert.equal((await countsOf(other, name)).waiting, 1);
  });

  declare("`schedules` and `scheduleKeys`: stored, replaced and ended one by one", async (kit) => {
    const backend = await kit.open();
    const { schedules, scheduleKeys } = backend.capabilities;
    if (!schedules) return;
    assert.ok(backend.schedule && backend.unschedule, "`schedule` and `unschedule` are there");
    const job = kit.job(kit.name("scheduled"));
    await backend.schedule(job, cron, "UTC", undefined);
    await backend.schedule(job, cron, "Europe/Vienna", undefined);
    assert.equal(await backend.unschedule(job.name, undefined), true);
    assert.equal(
      await backend.unschedule(job.name, undefined),
      false,
      "the second call replaced the schedule",
    );
    await assert.rejects(backend.schedule(job, "99 * * * *", "UTC", undefined), TypeError);
    if (!scheduleKeys) return;
    await backend.schedule(job, cron, "UTC", "a");
    await backend.schedule(job, cron, "UTC", "b");
    assert.equal(await backend.unschedule(job.name, "a"), true);
    assert.equal(await backend.unschedule(job.name, "a"), false);
    assert.equal(await backend.unschedule(job.name, "b"), true, "a key tells schedules apart");
  });

  declare("`nullCharacters`: payloads with null characters and half surrogate pairs", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.nullCharacters) return;
    const name = kit.name("null");
    const payload = { text: "a\u0000b", half: "\ud83d" };
    await backend.insert([kit.job(name, { envelopeText: JSON.stringify({ payload }) })], {});
    const consumer = await kit.consumer(backend, name);
    assert.deepEqual((await consumer.next()).envelope.payload, payload);
  });
};
