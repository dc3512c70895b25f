import assert from "node:assert/strict";
import { type JobBackend, type NewJob, nextMoment, type ScheduleRule } from "@nidus/jobs-durable/backend";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";
import { openScheduling, type SchedulingBackend, schedulesOf, winter } from "./scheduling.ts";

const everySecond: ScheduleRule = { cron: "* * * * * *", timeZone: "UTC" };

export const schedules: Behaviour<BackendKit> = (declare) => {
  declare("stores, replaces, lists and ends schedules", async (kit) => {
    const backend = await openScheduling(kit);
    if (backend === undefined) return;
    const job = kit.job(kit.name("scheduled"));
    const beforeMs = Date.now() - 60_000;
    const vienna = { ...winter, timeZone: "Europe/Vienna" };
    await backend.schedule(job, winter);
    await backend.schedule(job, vienna);
    const [stored, ...others] = await schedulesOf(
      (await kit.another(backend)) as SchedulingBackend,
      job.name,
    );
    assert.equal(others.length, 0, "the second call replaced the schedule");
    assert.deepEqual(definedOf(stored?.rule), vienna);
    assert.equal(stored?.nextRunAt?.getTime(), nextMoment(vienna, Date.now()));
    assert.ok((stored?.madeAt.getTime() ?? 0) > beforeMs, "`madeAt` is when the rule was made");
    assert.equal((await countsOf(backend, job.name)).scheduled <= 1, true, "a schedule stores one job ahead");
    assert.equal(await backend.unschedule(job.name, undefined), true);
    assert.equal(await backend.unschedule(job.name, undefined), false, "it had ended");
    assert.deepEqual(await schedulesOf(backend, job.name), []);
    assert.equal((await countsOf(backend, job.name)).scheduled, 0, "its next run went with it");
  });

  declare("are listed for one job name, or for all", async (kit) => {
    const backend = await openScheduling(kit);
    if (backend === undefined) return;
    const [one, other] = [kit.job(kit.name("one")), kit.job(kit.name("other"))];
    await backend.schedule(one, winter);
    await backend.schedule(other, winter);
    const namesOf = async (jobName: string | undefined): Promise<string[]> =>
      (await backend.schedules(jobName)).map((each) => each.jobName);
    assert.deepEqual(await namesOf(one.name), [one.name]);
    assert.deepEqual(await namesOf(kit.name("none")), []);
    const all = await namesOf(undefined);
    assert.ok(all.includes(one.name) && all.includes(other.name), "without a name, all are listed");
    await backend.unschedule(one.name, undefined);
    await backend.unschedule(other.name, undefined);
  });

  declare("tells schedules of one job apart by their keys", async (kit) => {
    const backend = await openScheduling(kit);
    if (!backend?.capabilities.scheduleKeys) return;
    const job = kit.job(kit.name("keys"));
    const keys = ["a", "b: with spaces, ümlauts/and %25"];
    for (const key of keys) await backend.schedule(job, { ...winter, key });
    await backend.schedule(job, winter);
    const listed = (await schedulesOf(backend, job.name)).map(({ rule }) => rule.key);
    assert.deepEqual(listed.sort(), [...keys, undefined]);
    assert.equal(await backend.unschedule(job.name, "a"), true);
    assert.equal(await backend.unschedule(job.name, "a"), false);
    assert.equal(await backend.unschedule(job.name, undefined), true);
    assert.equal(await backend.unschedule(job.name, keys[1]), true, "a key tells schedules apart");
  });

  declare("are due at the same moments as everywhere, also if the clock changes", async (kit) => {
    const backend = await openScheduling(kit);
    if (backend === undefined) return;
    // Each names a day on which the clock changes: the expected moment is one of UTC.
    const cases = [
      ["30 2 * 3 SUN#2", "America/New_York", "07:00", "a skipped time, after the gap"],
      ["*/10 2 * 3 SUN#2", "America/New_York", "07:00", "several skipped times, after the gap"],
      ["30 1 * 11 SUN#1", "America/New_York", "05:30", "the first of two"],
      ["15 2 * 3 SUN#L", "Europe/Vienna", "01:00", "a skipped time, after the gap"],
      ["15 2 * 10 SUN#1", "Australia/Lord_Howe", "15:30", "a skipped time, after a gap of 30 minutes"],
      ["45 1 * 4 SUN#1", "Australia/Lord_Howe", "14:45", "the first of two, 30 minutes apart"],
    ] as const;
    const job = kit.job(kit.name("moments"));
    for (const [cron, timeZone, expected, what] of cases) {
      await backend.schedule(job, { cron, timeZone });
      const [stored] = await schedulesOf(backend, job.name);
      assert.equal(
        stored?.nextRunAt?.toISOString().slice(11, 16),
        expected,
        `${cron} in ${timeZone}: ${what}`,
      );
    }
    await backend.unschedule(job.name, undefined);
  });

  declare(
    "run once for each moment, whatever becomes of a run and however many consumers there are",
    async (kit) => {
      const backend = await openScheduling(kit);
      if (backend === undefined) return;
      const job = kit.job(kit.name("each"));
      await backend.schedule(job, everySecond);
      const other = await kit.another(backend);
      const consumers = [await kit.consumer(backend, job.name), await kit.consumer(other, job.name)];
      const moments: number[] = [];
      const take = async (index: number): Promise<void> => {
        const consumer = consumers[index % 2];
        while (moments.length < 4) {
          for (const each of (await consumer?.fetch(1)) ?? []) {
            moments.push(each.runAt.getTime());
            assert.deepEqual(each.envelope.payload, { to: "ada" });
            assert.equal(each.attempt, 1);
            await consumer?.settle(
              each,
              index === 0 ? { type: "dead-lettered", error: "no" } : { type: "succeeded" },
            );
          }
        }
      };
      await Promise.all([take(0), take(1)]);
      await backend.unschedule(job.name, undefined);
      assert.equal(new Set(moments).size, moments.length, "no moment came twice");
      assert.ok(
        moments.every((ms) => ms % 1000 === 0),
        "`runAt` is the moment at which a run was due",
      );
    },
  );

  declare("run once, late, if no worker took the runs, also if they are stored again", async (kit) => {
    const backend = await openScheduling(kit);
    if (backend === undefined) return;
    const job = kit.job(kit.name("late"));
    await backend.schedule(job, everySecond);
    const first = (await schedulesOf(backend, job.name))[0]?.nextRunAt?.getTime() ?? 0;
    await eventually(() => assert.ok(Date.now() > first + 2_500, "three moments have passed"));
    const again = (await kit.another(backend)) as SchedulingBackend;
    await again.schedule(job, { ...everySecond, timeZone: "UTC" });
    const { scheduled, waiting } = await countsOf(backend, job.name);
    assert.deepEqual({ scheduled, waiting }, { scheduled: 0, waiting: 1 }, "missed runs do not pile up");
    assert.equal((await schedulesOf(backend, job.name))[0]?.nextRunAt?.getTime(), first);
    const consumer = await kit.consumer(again, job.name);
    const late = await consumer.next();
    assert.equal(late.runAt.getTime(), first, "the run that was missed first");
    const next = (await schedulesOf(backend, job.name))[0]?.nextRunAt?.getTime() ?? 0;
    assert.ok(next > first + 2_000, "the next run is none of those that were missed");
    const after = await countsOf(backend, job.name);
    assert.ok(after.scheduled + after.waiting <= 1, "those that were missed do not come one by one");
    await consumer.settle(late, { type: "succeeded" });
    await backend.unschedule(job.name, undefined);
  });

  declare(
    "keep the moment of their next run if only the job changes, and not if the rule does",
    async (kit) => {
      const backend = await openScheduling(kit);
      if (backend === undefined) return;
      const name = kit.name("changed");
      const textOf = (payload: string): string => JSON.stringify({ payload });
      await backend.schedule(kit.job(name, { envelopeText: textOf("before") }), everySecond);
      const first = (await schedulesOf(backend, name))[0]?.nextRunAt?.getTime() ?? 0;
      await eventually(() => assert.ok(Date.now() > first + 1_100, "two moments have passed"));
      await backend.schedule(kit.job(name, { envelopeText: textOf("after") }), everySecond);
      const consumer = await kit.consumer(backend, name);
      const late = await consumer.next();
      assert.equal(late.envelope.payload, "after");
      assert.equal(late.runAt.getTime(), first);
      await consumer.settle(late, { type: "succeeded" });
      await backend.schedule(kit.job(name, { envelopeText: textOf("never") }), winter);
      assert.equal(
        (await schedulesOf(backend, name))[0]?.nextRunAt?.getTime(),
        nextMoment(winter, Date.now()),
      );
      assert.deepEqual(
        (await consumer.takeFor(2_500)).filter(({ envelope }) => envelope.payload === "never"),
        [],
      );
      assert.equal((await countsOf(backend, name)).scheduled, 1, "the run before was replaced");
      await backend.unschedule(name, undefined);
    },
  );

  declare("`intervals`: are due from the start to the end of a schedule, and end then", async (kit) => {
    const backend = await openScheduling(kit);
    if (!backend?.capabilities.intervals) return;
    const job = kit.job(kit.name("interval"));
    const rule = await scheduleSoon(backend, job);
    const { startAtMs } = rule;
    const consumer = await kit.consumer(backend, job.name);
    const moments: number[] = [];
    do {
      const run = await consumer.next();
      moments.push(run.runAt.getTime());
      await consumer.settle(run, { type: "succeeded" });
    } while (await hasNext());
    assert.equal(moments[0], startAtMs);
    assert.ok(
      moments.every((ms) => ms <= rule.endAtMs && (ms - startAtMs) % 700 === 0),
      moments.join(),
    );
    assert.deepEqual(await schedulesOf(backend, job.name), [], "a schedule ends with its last run");
    assert.equal(await backend.unschedule(job.name, undefined), false);
    await backend.schedule(job, rule);
    assert.deepEqual(await schedulesOf(backend, job.name), [], "one that has ended does not begin again");

    async function hasNext(): Promise<boolean> {
      const { scheduled, waiting } = await countsOf(backend as JobBackend, job.name);
      return scheduled + waiting > 0;
    }
  });

  declare("`intervals`: run once, late, also if their end has passed by then", async (kit) => {
    const backend = await openScheduling(kit);
    if (!backend?.capabilities.intervals) return;
    const job = kit.job(kit.name("ended"));
    const { startAtMs, endAtMs } = await scheduleSoon(backend, job);
    await eventually(() => assert.ok(Date.now() > endAtMs + 100));
    const consumer = await kit.consumer(backend, job.name);
    const late = await consumer.next();
    assert.equal(late.runAt.getTime(), startAtMs);
    await consumer.settle(late, { type: "succeeded" });
    assert.deepEqual(await schedulesOf(backend, job.name), [], "it was the last one");
    const { scheduled, waiting } = await countsOf(backend, job.name);
    assert.deepEqual({ scheduled, waiting }, { scheduled: 0, waiting: 0 });
  });
};

/** Schedules a job at an interval that begins soon, and soon ends. On a busy machine, later. */
async function scheduleSoon(
  backend: SchedulingBackend,
  job: NewJob,
): Promise<{ everyMs: number; timeZone: string; startAtMs: number; endAtMs: number }> {
  for (let inMs = 1_001; ; inMs *= 2) {
    const startAtMs = Date.now() + inMs;
    const rule = { everyMs: 700, timeZone: "UTC", startAtMs, endAtMs: startAtMs + 1_400 };
    await backend.schedule(job, rule);
    const [stored] = await schedulesOf(backend, job.name);
    if (stored?.nextRunAt?.getTime() === startAtMs) return rule;
    assert.ok(inMs < 30_000, `the first moment is ${stored?.nextRunAt?.getTime()}, and not ${startAtMs}`);
  }
}

/** Leaves out members that are undefined. */
function definedOf(rule: ScheduleRule | undefined): unknown {
  return rule && JSON.parse(JSON.stringify(rule));
}
