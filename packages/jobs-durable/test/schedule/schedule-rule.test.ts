import { describe, expect, it } from "vitest";
import {
  latestMoment,
  nextMoment,
  type ScheduleRule,
  scheduleRuleFrom,
} from "../../src/schedule/schedule-rule.ts";

const hourMs = 3_600_000;
const interval: ScheduleRule = { everyMs: 1_500, timeZone: "UTC" };
const daily: ScheduleRule = { cron: "0 3 * * *", timeZone: "Europe/Vienna" };

describe("the moments of an interval", () => {
  it("are counted from 1970, so that a restart does not move them", () => {
    expect(nextMoment(interval, 0)).toBe(1_500);
    expect(nextMoment(interval, 1_499)).toBe(1_500);
    expect(nextMoment(interval, 1_500)).toBe(3_000);
  });

  it("are counted from the start, and the start is the first", () => {
    const rule = { ...interval, startAtMs: 10_007 };
    expect(nextMoment(rule, 0)).toBe(10_007);
    expect(nextMoment(rule, 10_007)).toBe(11_507);
    expect(nextMoment(rule, 20_000)).toBe(20_507);
  });

  it("go on through changes of the clock", () => {
    const rule = { everyMs: hourMs, timeZone: "America/New_York" };
    for (const day of ["2026-03-08", "2026-11-01"]) {
      for (let ms = Date.parse(day); ms < Date.parse(day) + 24 * hourMs; ms += hourMs) {
        expect(nextMoment(rule, ms)).toBe(ms + hourMs);
      }
    }
  });
});

describe("the bounds of a rule", () => {
  it("belong to it", () => {
    const [startAtMs, endAtMs] = [Date.parse("2026-11-28T02:00Z"), Date.parse("2026-11-29T02:00Z")];
    const rule = { ...daily, startAtMs, endAtMs };
    expect(nextMoment(rule, 0)).toBe(startAtMs);
    expect(nextMoment(rule, startAtMs)).toBe(endAtMs);
    expect(nextMoment(rule, endAtMs)).toBeUndefined();
    expect(nextMoment({ ...rule, endAtMs: endAtMs - 1 }, startAtMs)).toBeUndefined();
    expect(nextMoment({ ...rule, startAtMs: startAtMs + 1 }, 0)).toBe(endAtMs);
  });
});

describe("the latest moment", () => {
  it("is the last one up to now, and absent before the first", () => {
    const rule = { ...daily, startAtMs: Date.parse("2026-11-20T00:00Z") };
    const madeAtMs = Date.parse("2026-11-10T12:00Z");
    const latest = (now: string, afterMs = madeAtMs): number | undefined =>
      latestMoment(rule, afterMs, Date.parse(now));
    expect(latest("2026-11-15T12:00Z")).toBeUndefined();
    expect(latest("2026-11-20T01:59:59Z")).toBeUndefined();
    expect(latest("2026-11-20T02:00Z")).toBe(Date.parse("2026-11-20T02:00Z"));
    expect(latest("2026-11-21T01:00Z")).toBe(Date.parse("2026-11-20T02:00Z"));
    expect(latest("2026-11-21T01:00Z", Date.parse("2026-11-20T02:00Z"))).toBeUndefined();
  });

  it("is the last one of a rule that has ended", () => {
    const rule = { ...interval, startAtMs: 5, endAtMs: 4_000 };
    expect(latestMoment(rule, 0, 1_000_000)).toBe(3_005);
    expect(latestMoment(rule, 0, 4)).toBeUndefined();
    expect(latestMoment(rule, 3_005, 1_000_000)).toBeUndefined();
  });
});

describe("a rule from a store", () => {
  it("is read as it was stored", () => {
    for (const rule of [interval, daily, { ...daily, key: "a", startAtMs: 5, endAtMs: 6 }]) {
      expect(scheduleRuleFrom(JSON.parse(JSON.stringify(rule)))).toEqual(rule);
    }
  });

  it.each([
    null,
    "* * * * *",
    {},
    { ...daily, cron: "5" },
    { ...daily, cron: 5 },
    { ...daily, everyMs: 5 },
    { ...daily, timeZone: "Mars/Olympus" },
    { ...daily, key: 5 },
    { ...daily, startAtMs: "x" },
    { ...daily, endAtMs: 1e20 },
    { ...interval, everyMs: 0 },
    { ...interval, everyMs: "1500" },
    { ...interval, everyMs: Number.NaN },
  ])("is left out if it is none: %j", (stored) => {
    expect(scheduleRuleFrom(stored)).toBeUndefined();
  });
});
