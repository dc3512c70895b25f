import { describe, expect, it } from "vitest";
import { CronMoments } from "../../src/schedule/cron-moments.ts";

/** Returns the moments of an expression after one moment, up to another. */
function momentsOf(cron: string, timeZone: string, from: string, to: string): string[] {
  const moments = new CronMoments(cron, timeZone);
  const found: number[] = [];
  let atMs = moments.next(Date.parse(`${from}Z`));
  while (atMs !== undefined && atMs <= Date.parse(`${to}Z`)) {
    const before = found.at(-1);
    found.push(atMs);
    expect(moments.latest(atMs)).toBe(atMs);
    if (before !== undefined) expect(moments.latest(atMs - 1)).toBe(before);
    atMs = moments.next(atMs);
  }
  return found.map((each) => new Date(each).toISOString().slice(5, 16));
}

const newYork = "America/New_York"; // 2026: 8 March, 02:00 to 03:00, and 1 November, 02:00 to 01:00
const vienna = "Europe/Vienna"; // 2026: 29 March, 02:00 to 03:00, and 25 October, 03:00 to 02:00
const lordHowe = "Australia/Lord_Howe"; // 2026: 5 April, 02:00 to 01:30, and 4 October, 02:00 to 02:30

describe("a local time that is skipped", () => {
  it.each([
    [
      "a daily time",
      "30 2 * * *",
      newYork,
      "2026-03-07T12:00",
      "2026-03-09T12:00",
      "03-08T07:00 03-09T06:30",
    ],
    ["several", "*/10 2 * * *", newYork, "2026-03-07T12:00", "2026-03-08T12:00", "03-08T07:00"],
    ["a list", "0,30 2 * * *", vienna, "2026-03-28T12:00", "2026-03-29T12:00", "03-29T01:00"],
    ["with seconds", "5 15 2 * * *", vienna, "2026-03-28T12:00", "2026-03-29T12:00", "03-29T01:00"],
    ["and the end of the gap", "0 2,3 * * *", vienna, "2026-03-28T12:00", "2026-03-29T12:00", "03-29T01:00"],
    [
      "on a weekday",
      "30 2 * * SUN",
      vienna,
      "2026-03-23T00:00",
      "2026-04-06T00:00",
      "03-29T01:00 04-05T00:30",
    ],
    [
      "half an hour",
      "15 2 * * *",
      lordHowe,
      "2026-10-03T00:00",
      "2026-10-05T00:00",
      "10-03T15:30 10-04T15:15",
    ],
    [
      "midnight",
      "30 0 * * *",
      "Africa/Cairo",
      "2026-04-23T12:00",
      "2026-04-25T00:00",
      "04-23T22:00 04-24T21:30",
    ],
    [
      "a day",
      "0 9 * * *",
      "Pacific/Apia",
      "2011-12-29T00:00",
      "2011-12-31T12:00",
      "12-29T19:00 12-30T10:00 12-30T19:00",
    ],
  ])("is due once, at the first moment after the gap: %s", (_what, cron, zone, from, to, expected) => {
    expect(momentsOf(cron, zone, from, to).join(" ")).toBe(expected);
  });

  it("is not due twice, nor is a time before or after", () => {
    expect(momentsOf("59 1 * * *", vienna, "2026-03-28T12:00", "2026-03-29T12:00")).toEqual(["03-29T00:59"]);
    expect(momentsOf("1 3 * * *", vienna, "2026-03-28T12:00", "2026-03-29T12:00")).toEqual(["03-29T01:01"]);
  });
});

describe("a local time that occurs twice", () => {
  it.each([
    [
      "a daily time",
      "30 1 * * *",
      newYork,
      "2026-10-31T12:00",
      "2026-11-02T12:00",
      "11-01T05:30 11-02T06:30",
    ],
    [
      "several",
      "*/20 2 * * *",
      vienna,
      "2026-10-24T12:00",
      "2026-10-25T12:00",
      "10-25T00:00 10-25T00:20 10-25T00:40",
    ],
    [
      "half an hour",
      "45 1 * * *",
      lordHowe,
      "2026-04-04T00:00",
      "2026-04-06T00:00",
      "04-04T14:45 04-05T15:15",
    ],
    ["its end", "0 2 * * *", newYork, "2026-11-01T04:00", "2026-11-01T12:00", "11-01T07:00"],
  ])("is due once, the first time: %s", (_what, cron, zone, from, to, expected) => {
    expect(momentsOf(cron, zone, from, to).join(" ")).toBe(expected);
  });

  it("is not due again if the schedule is made while the clock shows it for the second time", () => {
    const moments = new CronMoments("30 1 * * *", newYork);
    expect(moments.next(Date.parse("2026-11-01T06:10Z"))).toBe(Date.parse("2026-11-02T06:30Z"));
    expect(moments.latest(Date.parse("2026-11-01T06:10Z"))).toBe(Date.parse("2026-11-01T05:30Z"));
  });
});

describe("a schedule for every hour", () => {
  it.each([
    ["30 * * * *", newYork, "03-08T05:00", "03-08T09:00", "05:30 06:30 07:30 08:30"],
    ["30 * * * *", newYork, "11-01T04:00", "11-01T08:00", "04:30 05:30 06:30 07:30"],
    ["*/30 * * * *", vienna, "10-25T00:15", "10-25T02:00", "00:30 01:00 01:30 02:00"],
    ["*/15 * * * *", lordHowe, "04-04T14:30", "04-04T15:30", "14:45 15:00 15:15 15:30"],
    ["*/15 * * * *", lordHowe, "10-03T15:00", "10-03T16:00", "15:15 15:30 15:45 16:00"],
    ["0 0-23 * * *", newYork, "11-01T04:30", "11-01T07:00", "05:00 06:00 07:00"],
    ["0 */1 1 11 *", newYork, "10-01T00:00", "11-01T07:00", "04:00 05:00 06:00 07:00"],
  ])("goes on through a change of the clock: %s in %s from %s", (cron, zone, from, to, expected) => {
    const found = momentsOf(cron, zone, `2026-${from}`, `2026-${to}`);
    expect(found.map((each) => each.slice(6)).join(" ")).toBe(expected);
  });

  it.each([
    ["0 * 1 * *", vienna, "2027-03-28T01:00", "03-31T22:00"],
    ["0 * 1 * *", vienna, "2026-10-25T01:00", "10-31T23:00"],
  ])("begins at a change of the clock: %s in %s", (cron, zone, change, expected) => {
    for (const ms of [-2, -1, 0]) {
      const nextMs = new CronMoments(cron, zone).next(Date.parse(`${change}Z`) + ms);
      expect(new Date(nextMs ?? Number.NaN).toISOString().slice(5, 16)).toBe(expected);
    }
  });
});

describe("the dialect", () => {
  const next = (cron: string): string | undefined => {
    const atMs = new CronMoments(cron, "UTC").next(Date.parse("2026-11-28T00:00Z"));
    return atMs === undefined ? undefined : new Date(atMs).toISOString().slice(0, 19);
  };

  it.each([
    ["0 3 * * *", "2026-11-28T03:00:00"],
    ["  0\t3 * * MON-FRI ", "2026-11-30T03:00:00"],
    ["*/5 * * * * *", "2026-11-28T00:00:05"],
    ["0 3 * jan,DEC *", "2026-12-01T03:00:00"],
    ["0 3 * * 7", "2026-11-29T03:00:00"],
    ["0 3 L * *", "2026-11-30T03:00:00"],
    ["0 3 * * 5L", "2026-12-25T03:00:00"],
    ["0 3 * * MON#2", "2026-12-14T03:00:00"],
    ["0 3 1-5/2 * *", "2026-12-01T03:00:00"],
    ["0 3 29 2 *", "2028-02-29T03:00:00"],
    // Either of the two, as in every cron.
    ["0 3 13 * FRI", "2026-12-04T03:00:00"],
    ["0 0 30 2 *", undefined],
  ])("reads %j", (cron, expected) => {
    expect(next(cron)).toBe(expected);
  });

  it.each([
    ...[
      "0 3 * *",
      "5",
      "",
      "hello",
      "60 * * * *",
      "0 25 * * *",
      "0 3 0 * *",
      "0 3 * 13 *",
      "0 3 * * 8",
      "H 3 * * *",
    ],
    ...[
      "5-1 * * * *",
      "*/0 * * * *",
      "*/90 * * * *",
      "5/15 * * * *",
      "1,,3 * * * *",
      "1.5 * * * *",
      "0 3 * * 1#6",
    ],
  ])("refuses %j", (cron) => {
    expect(() => new CronMoments(cron, "UTC")).toThrow();
  });
});
