import assert from "node:assert/strict";
import { nextMoment } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";
import { openScheduling, type SchedulingBackend, schedulesOf, winter } from "./scheduling.ts";

export const nextRuns: Behaviour<BackendKit> = (declare) => {
  declare("start at the moment to which they were rescheduled, and `schedules` tells it", async (kit) => {
    const backend = await openScheduling(kit);
    if (!backend?.capabilities.listing) return;
    const name = kit.name("rescheduled");
    const textOf = (payload: string): string => JSON.stringify({ payload });
    await backend.schedule(kit.job(name, { envelopeText: textOf("before") }), winter);
    const dueMs = (await schedulesOf(backend, name))[0]?.nextRunAt?.getTime() ?? 0;
    const next = await nextRunOf(backend, name);
    for (const moved of [new Date(dueMs + 86_400_000), new Date(Date.now() + 3_600_000)]) {
      assert.equal(await backend.reschedule?.(next, moved), true);
      const other = (await kit.another(backend)) as SchedulingBackend;
      assert.deepEqual((await schedulesOf(other, name))[0]?.nextRunAt, moved);
      await backend.schedule(kit.job(name, { envelopeText: textOf("before") }), winter);
      assert.deepEqual((await schedulesOf(backend, name))[0]?.nextRunAt, moved, "stored again");
    }
    const moved = (await schedulesOf(backend, name))[0]?.nextRunAt;
    await backend.schedule(kit.job(name, { envelopeText: textOf("after") }), winter);
    assert.deepEqual((await schedulesOf(backend, name))[0]?.nextRunAt, moved, "with another job");
    const startsAt = new Date(Date.now() - 1_000);
    assert.equal(await backend.reschedule?.(await nextRunOf(backend, name), startsAt), true);
    assert.deepEqual((await schedulesOf(backend, name))[0]?.nextRunAt, startsAt);
    const consumer = await kit.consumer(backend, name);
    const early = await consumer.next();
    assert.equal(early.envelope.payload, "after");
    assert.equal((await schedulesOf(backend, name))[0]?.nextRunAt?.getTime(), nextMoment(winter, dueMs));
    await consumer.settle(early, { type: "succeeded" });
    assert.equal((await countsOf(backend, name)).scheduled, 1);
    await backend.unschedule(name, undefined);
  });

  declare("are cancelled at once, and the runs after them are stored", async (kit) => {
    const backend = await openScheduling(kit);
    if (!backend?.capabilities.listing) return;
    const name = kit.name("skipped");
    await backend.schedule(kit.job(name), winter);
    let dueMs = (await schedulesOf(backend, name))[0]?.nextRunAt?.getTime() ?? 0;
    for (const how of ["cancel", "cancelAll"] as const) {
      const next = await nextRunOf(backend, name);
      if (how === "cancel") assert.equal(await backend.cancel(next), true);
      else assert.deepEqual(await backend.cancelAll?.(name, [next]), [next]);
      assert.equal((await backend.job?.(next, { withPayload: false }))?.state, "cancelled");
      dueMs = nextMoment(winter, dueMs) ?? 0;
      assert.equal((await schedulesOf(backend, name))[0]?.nextRunAt?.getTime(), dueMs);
      assert.notEqual(await nextRunOf(backend, name), next, "the run after it is stored");
    }
    await backend.unschedule(name, undefined);
    await backend.schedule(kit.job(name), winter);
    assert.notEqual(await nextRunOf(backend, name), "", "a schedule that begins again has a next run");
    const { scheduled, cancelled } = await countsOf(backend, name);
    assert.deepEqual({ scheduled, cancelled }, { scheduled: 1, cancelled: 2 });
    const startAtMs = Date.now() + 3_600_000;
    const once = { everyMs: 1_000, timeZone: "UTC", startAtMs, endAtMs: startAtMs };
    const last = kit.name("last");
    await backend.schedule(kit.job(last), once);
    assert.equal(await backend.cancel(await nextRunOf(backend, last)), true);
    assert.deepEqual(await schedulesOf(backend, last), [], "the schedule ends with its last run");
    assert.equal((await countsOf(backend, last)).scheduled, 0);
    await backend.unschedule(name, undefined);
  });
};

/** The id of the run that is stored ahead. */
async function nextRunOf(backend: SchedulingBackend, jobName: string): Promise<string> {
  const page = await backend.jobs?.({
    jobName,
    state: "scheduled",
    limit: 10,
    position: undefined,
    withPayload: false,
  });
  assert.equal(page?.jobs.length, 1, "one run is stored ahead");
  return page?.jobs[0]?.id ?? "";
}
