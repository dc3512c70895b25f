import assert from "node:assert/strict";
import { defineJob, UnsupportedError } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

/** Half an hour off most other zones, so that hours and minutes both show whether the engine used it. */
const timeZone = "Asia/Kolkata";

/** Returns minute and hour in the time zone, `inMs` from now. */
function timeOfDay(inMs: number): { readonly hour: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat("en", {
    timeZone,
    hour: "numeric",
    minute: "numeric",
    hourCycle: "h23",
  });
  const parts = Object.fromEntries(
    format.formatToParts(Date.now() + inMs).map(({ type, value }) => [type, Number(value)]),
  );
  return { hour: parts.hour ?? 0, minute: parts.minute ?? 0 };
}

/** On a busy machine, engines notice the next minute late. */
const scheduleLimitMs = 240_000;

export const schedules: Behaviour<Kit> = (declare) => {
  declare(
    "enqueues a job by the clock of a time zone, or says that it cannot",
    async (kit) => {
      const { engine, recorder } = await kit.open();
      const seen: string[] = [];
      const job = defineJob<string>({ name: kit.name("cron"), run: (payload) => void seen.push(payload) });
      if (!engine.capabilities.schedules) {
        await assert.rejects(engine.schedule(job, "* * * * *", "a"), UnsupportedError.isInstance);
        await assert.rejects(engine.unschedule(job), UnsupportedError.isInstance);
        return;
      }
      await engine.work({ jobs: [job] });
      // The minute begins in 15 to 75 s, so that it does not pass while the schedules are stored.
      const soon = timeOfDay(75_000);
      await engine.schedule(job, "0 0 1 1 *", "replaced", { timeZone });
      await engine.schedule(job, `${soon.minute} ${soon.hour} * * *`, "by the clock", { timeZone });
      await eventually(() => assert.deepEqual(seen, ["by the clock"]), 180_000);
      assert.equal(recorder.runs[0]?.delivery?.attempt, 1);
      assert.equal(recorder.runs[0]?.delivery.maxAttempts, 5);
      assert.equal(await engine.unschedule(job), true);
      assert.equal(await engine.unschedule(job), false);
    },
    scheduleLimitMs,
  );

  declare("refuses invalid cron expressions and time zones", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.schedules) return;
    const job = defineJob({ name: kit.name("bad_cron"), run() {} });
    for (const cron of ["every now and then", "99 * * * *", "0 3 * *", "5", "@daily", "* * * * * * *"]) {
      await assert.rejects(engine.schedule(job, cron, undefined), TypeError, cron);
    }
    await assert.rejects(
      engine.schedule(job, "* * * * *", undefined, { timeZone: "Atlantis/Center" }),
      TypeError,
    );
    assert.equal(await engine.unschedule(job), false);
  });

  declare("keeps several schedules of one job by key, or says that it cannot", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.schedules) return;
    const job = defineJob<string>({ name: kit.name("keys"), run() {} });
    if (!engine.capabilities.scheduleKeys) {
      await assert.rejects(engine.schedule(job, "0 0 1 1 *", "a", { key: "a" }), UnsupportedError.isInstance);
      return;
    }
    await engine.schedule(job, "0 0 1 1 *", "a", { key: "a" });
    await engine.schedule(job, "0 0 1 2 *", "b", { key: "b" });
    assert.equal(await engine.unschedule(job, { key: "a" }), true);
    assert.equal(await engine.unschedule(job, { key: "a" }), false);
    assert.equal(await engine.unschedule(job, { key: "b" }), true);
  });
};
