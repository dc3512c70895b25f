import assert from "node:assert/strict";
import { defineJob, type SchedulesQuery, UnsupportedError } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";
import { scheduleSoon, schedulesOf, timeZone } from "./scheduling.ts";

export const schedules: Behaviour<Kit> = (declare) => {
  declare("runs a job by the clock of a time zone, or says that it cannot", async (kit) => {
    const { engine, recorder } = await kit.open();
    const seen: string[] = [];
    const job = defineJob<string>({ name: kit.name("cron"), run: (payload) => void seen.push(payload) });
    if (!engine.capabilities.schedules) {
      await assert.rejects(engine.schedule(job, "* * * * *", "a"), UnsupportedError.isInstance);
      await assert.rejects(engine.unschedule(job), UnsupportedError.isInstance);
      await assert.rejects(engine.schedules(), UnsupportedError.isInstance);
      return;
    }
    await engine.schedule(job, "0 0 1 1 *", "replaced", { timeZone });
    const { dueMs } = await scheduleSoon(engine, job, "by the clock");
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(seen, ["by the clock"]));
    assert.ok(Date.now() >= dueMs, "it did not run before its moment");
    const { delivery } = recorder.runs[0] ?? {};
    assert.equal(delivery?.attempt, 1);
    assert.equal(delivery.maxAttempts, 5);
    assert.equal(delivery.runAt.getTime(), dueMs);
    const [schedule] = await schedulesOf(engine, job.name);
    assert.equal(schedule?.lastScheduledAt?.getTime(), dueMs);
    assert.ok((schedule.nextRunAt?.getTime() ?? 0) > dueMs, "the next run is stored before the handler runs");
    assert.equal(await engine.unschedule(job), true);
    assert.equal(await engine.unschedule(job), false);
  });

  declare("refuses invalid cron expressions, intervals, time zones and bounds", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.schedules) return;
    const job = defineJob({ name: kit.name("bad_cron"), run() {} });
    const wrong = [
      "every now and then",
      "99 * * * *",
      "0 3 * *",
      "5",
      "@daily",
      "* * * * * * *",
      "0 0 30 2 *",
    ];
    for (const cron of wrong) await assert.rejects(engine.schedule(job, cron), TypeError, cron);
    const options = [
      { timeZone: "Atlantis/Center" },
      { startAt: new Date(Number.NaN) },
      { endAt: "2030-01-01" as never },
    ];
    for (const each of options) {
      await assert.rejects(engine.schedule(job, "* * * * *", undefined, each), TypeError);
    }
    const reversed = { startAt: new Date(2_000), endAt: new Date(1_000) };
    await assert.rejects(engine.schedule(job, "* * * * *", undefined, reversed), RangeError);
    const intervals = [{ everyMs: 0 }, { everyMs: 1.5 }, { everyMs: Number.POSITIVE_INFINITY }];
    for (const each of intervals) await assert.rejects(engine.schedule(job, each), RangeError);
    for (const each of [{ every: 1 }, { everyMs: "1" }, undefined, 5]) {
      await assert.rejects(engine.schedule(job, each as never), TypeError);
    }
    assert.deepEqual(await schedulesOf(engine, job.name), []);
    assert.equal(await engine.unschedule(job), false);
  });

  declare("takes every expression of the dialect", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.schedules) return;
    const job = defineJob({ name: kit.name("dialect"), run() {} });
    const expressions = [
      ...[
        "0 3 1 1 *",
        "  0\t3 1 1 * ",
        "0 0 3 1 JAN *",
        "0 3 1-5/2 jan MON-FRI",
        "0 3 L 1 *",
        "0 3 * 1 5L",
        "0 3 * 1 MON#1",
      ],
    ];
    for (const cron of expressions) {
      await engine.schedule(job, cron);
      const [schedule] = await schedulesOf(engine, job.name);
      assert.equal(schedule?.cron, cron);
      assert.equal(schedule.nextRunAt?.toISOString().slice(5, 7), "01", cron);
      assert.match(schedule.nextRunAt.toISOString(), /T03:00:00/, cron);
    }
    assert.equal(await engine.unschedule(job), true);
  });

  declare("lists the schedules of one job name, or of all", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.schedules) return;
    const [one, other] = [kit.name("one"), kit.name("other")].map((name) => defineJob({ name, run() {} }));
    assert.ok(one && other);
    await engine.schedule(one, "0 0 1 1 *");
    await engine.schedule(other, "0 0 1 1 *");
    const namesOf = async (query?: SchedulesQuery): Promise<string[]> =>
      (await engine.schedules(query)).map(({ jobName }) => jobName);
    assert.deepEqual(await namesOf({ jobName: one.name }), [one.name]);
    assert.deepEqual(await namesOf({ jobName: kit.name("none") }), []);
    const all = await namesOf();
    assert.ok(all.includes(one.name) && all.includes(other.name), "without a name, all are listed");
    for (const wrong of [{ jobName: 5 }, { jobName: "" }, { name: one.name }, one.name, 5]) {
      await assert.rejects(engine.schedules(wrong as never), TypeError, JSON.stringify(wrong));
    }
    await engine.unschedule(one);
    await engine.unschedule(other);
  });

  declare("keeps several schedules of one job by key, or says that it cannot", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.schedules) return;
    const job = defineJob<string>({ name: kit.name("keys"), run() {} });
    if (!engine.capabilities.scheduleKeys) {
      await assert.rejects(engine.schedule(job, "0 0 1 1 *", "a", { key: "a" }), UnsupportedError.isInstance);
      return;
    }
    await engine.schedule(job, "0 0 1 1 *", "a", { key: "a", timeZone });
    await engine.schedule(job, "0 0 1 2 *", "b", { key: "b" });
    const listed = (await schedulesOf(engine, job.name)).map((each) => [each.key, each.cron, each.timeZone]);
    assert.deepEqual(listed, [
      ["a", "0 0 1 1 *", timeZone],
      ["b", "0 0 1 2 *", "UTC"],
    ]);
    assert.equal(await engine.unschedule(job, { key: "a" }), true);
    assert.equal(await engine.unschedule(job, { key: "a" }), false);
    assert.equal(await engine.unschedule(job.name, { key: "b" }), true, "by the name of the job alone");
  });

  declare("runs a job at an interval, and says when it was due, or says that it cannot", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!engine.capabilities.schedules) return;
    let isFailing = true;
    const job = defineJob({
      name: kit.name("interval"),
      maxAttempts: 1,
      run() {
        if (isFailing) throw new Error("the schedule goes on after a failure");
      },
    });
    if (!engine.capabilities.intervals) {
      await assert.rejects(engine.schedule(job, { everyMs: 300 }), UnsupportedError.isInstance);
      return;
    }
    const everyMs = 300;
    const startAt = new Date(Date.now() + 1_003);
    await engine.schedule(job, { everyMs }, undefined, { startAt });
    const [made] = await schedulesOf(engine, job.name);
    assert.equal(made?.everyMs, everyMs);
    assert.equal(made.cron, undefined);
    assert.deepEqual(made.startAt, startAt);
    if (Date.now() < startAt.getTime()) assert.equal(made.lastScheduledAt, undefined, "it was not due yet");
    await engine.work({ jobs: [job] });
    await eventually(() => assert.ok(recorder.runs.length > 0));
    isFailing = false;
    await eventually(() => assert.ok(recorder.runs.length > 3));
    const [schedule] = await schedulesOf(engine, job.name);
    const moments = recorder.runs.map(({ delivery }) => (delivery?.runAt.getTime() ?? 0) - startAt.getTime());
    assert.ok(
      moments.every((ms) => ms >= 0 && ms % everyMs === 0),
      `${moments} ms after the start`,
    );
    const lastMs = schedule?.lastScheduledAt?.getTime() ?? 0;
    assert.ok(
      lastMs <= Date.now() && (lastMs - startAt.getTime()) % everyMs === 0 && lastMs >= startAt.getTime(),
    );
    assert.equal(await engine.unschedule(job), true);
  });

  declare("skips a run that was cancelled, and goes on with the next one", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!engine.capabilities.schedules || !engine.capabilities.listing) return;
    const job = defineJob({ name: kit.name("cancelled"), run() {} });
    await engine.schedule(job, "* * * * * *");
    const [next] = (await engine.jobs({ jobName: job.name })).jobs;
    assert.ok(next, "the next run is listed");
    const names = [kit.name("twin"), kit.name("twin")];
    for (const name of names) await engine.schedule(defineJob({ name, run() {} }), "0 3 1 1 *");
    const twins = await Promise.all(names.map(async (jobName) => (await engine.jobs({ jobName })).jobs[0]));
    assert.notEqual(twins[0]?.id, twins[1]?.id, "runs of one moment have ids of their own");
    for (const name of names) await engine.unschedule(name);
    assert.equal(await engine.cancel(next.id), true);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.ok(recorder.runs.length > 1));
    assert.equal(
      recorder.runs.some(({ delivery }) => delivery?.jobId === next.id),
      false,
    );
    assert.equal(await engine.unschedule(job), true);
  });

  declare(
    "runs a run that it missed once, late, if it persists and the service starts again",
    async (kit) => {
      const { engine } = await kit.open();
      const { schedules: hasSchedules, persistence } = engine.capabilities;
      if (!hasSchedules || !persistence) return;
      const seen: string[] = [];
      const job = defineJob<string>({ name: kit.name("restart"), run: (payload) => void seen.push(payload) });
      const { cron, dueMs } = await scheduleSoon(engine, job, "a");
      await engine.close();
      await eventually(() => assert.ok(Date.now() > dueMs + 100));
      const { engine: again, recorder } = await kit.open();
      await again.schedule(job, cron, "a", { timeZone });
      await again.work({ jobs: [job] });
      await eventually(() => assert.deepEqual(seen, ["a"]));
      assert.equal(recorder.runs[0]?.delivery?.runAt.getTime(), dueMs);
      const [schedule, ...others] = await schedulesOf(again, job.name);
      assert.deepEqual([schedule?.nextRunAt?.getTime(), others.length], [dueMs + 86_400_000, 0]);
      assert.equal((await again.stats()).byName[job.name]?.waiting, 0);
      assert.equal(await again.unschedule(job), true);
    },
  );
};
