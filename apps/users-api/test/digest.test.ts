import fc from "fast-check";
import { expect, test } from "vitest";
import { digestsOf, isoWeek } from "../src/digest.ts";
import { commitOf } from "./support/digests.ts";

const dayMs = 24 * 60 * 60 * 1000;
const dates = fc.date({
  min: new Date("1900-01-01T00:00:00Z"),
  max: new Date("2999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});
const years = fc.integer({ min: 1900, max: 2999 });
const daysAfter = (date: Date, days: number) => new Date(date.getTime() + days * dayMs);
const [yearOf, numberOf] = [
  (week: string) => Number(week.split("-W")[0]),
  (week: string) => Number(week.split("-W")[1]),
];

test.each([
  ["2020-12-31T12:00:00Z", "2020-W53"],
  ["2021-01-03T23:59:59.999Z", "2020-W53"],
  ["2021-01-04T00:00:00Z", "2021-W01"],
  ["2024-12-29T23:59:59Z", "2024-W52"],
  ["2024-12-30T00:00:00Z", "2025-W01"],
  ["2026-01-01T00:00:00Z", "2026-W01"],
  ["2027-01-01T00:00:00Z", "2026-W53"],
  ["1970-01-01T00:00:00Z", "1970-W01"],
])("%s is in week %s", (date, week) => {
  expect(isoWeek(new Date(date))).toBe(week);
});

test("a date is read in UTC", () => {
  expect(isoWeek(new Date("2021-01-04T00:30:00+01:00"))).toBe("2020-W53");
});

test("seven days later is the next week: one number up, or the first of the next year after the 52nd or 53rd", () => {
  fc.assert(
    fc.property(dates, (date) => {
      const [week, next] = [isoWeek(date), isoWeek(daysAfter(date, 7))];
      if (yearOf(next) === yearOf(week)) expect(numberOf(next)).toBe(numberOf(week) + 1);
      else {
        expect(next).toBe(`${yearOf(week) + 1}-W01`);
        expect([52, 53]).toContain(numberOf(week));
      }
    }),
  );
});

test("a week begins with Monday and ends with Sunday", () => {
  fc.assert(
    fc.property(dates, (date) => {
      const isSameAsTheDayBefore = isoWeek(date) === isoWeek(daysAfter(date, -1));
      expect(isSameAsTheDayBefore).toBe(date.getUTCDay() !== 1);
    }),
  );
});

test("4 January is in a year's first week, 28 December in its last", () => {
  fc.assert(
    fc.property(years, (year) => {
      expect(isoWeek(new Date(Date.UTC(year, 0, 4)))).toBe(`${year}-W01`);
      expect(isoWeek(new Date(Date.UTC(year, 11, 28 + 7)))).toBe(`${year + 1}-W01`);
      expect(yearOf(isoWeek(new Date(Date.UTC(year, 11, 28))))).toBe(year);
    }),
  );
});

test("there is a digest for each author and week, by week and then author", () => {
  const digests = digestsOf([
    commitOf({ authorEmail: "grace@example.com", authoredAt: new Date("2024-01-10T12:00:00Z") }),
    commitOf({ authorEmail: "ada@example.com", authoredAt: new Date("2024-01-09T12:00:00Z") }),
    commitOf({ authorEmail: "grace@example.com", authoredAt: new Date("2024-01-03T12:00:00Z") }),
    commitOf({ authorEmail: "ada@example.com", authoredAt: new Date("2024-01-08T12:00:00Z") }),
  ]);
  expect(digests.map(({ week, authorEmail, commits }) => [week, authorEmail, commits.length])).toEqual([
    ["2024-W01", "grace@example.com", 1],
    ["2024-W02", "ada@example.com", 2],
    ["2024-W02", "grace@example.com", 1],
  ]);
});

test("an author is an address, whatever its case, under the name used last", () => {
  const digests = digestsOf([
    commitOf({
      authorEmail: "ADA@Example.com",
      authorName: "Ada King",
      authoredAt: new Date("2024-01-04T12:00:00Z"),
    }),
    commitOf({
      authorEmail: "ada@example.com",
      authorName: "Ada",
      authoredAt: new Date("2024-01-03T12:00:00Z"),
    }),
  ]);
  expect(digests).toMatchObject([{ authorEmail: "ada@example.com", authorName: "Ada King" }]);
});

test("a digest's commits are oldest first", () => {
  const [third, second, first] = ["05", "04", "03"].map((day) =>
    commitOf({ subject: day, authoredAt: new Date(`2024-01-${day}T12:00:00Z`) }),
  );
  const [digest] = digestsOf([second!, third!, first!]);
  expect(digest?.commits).toEqual([first, second, third]);
});

test("commits of the same second are oldest first too", () => {
  const [digest] = digestsOf([commitOf({ subject: "newer" }), commitOf({ subject: "older" })]);
  expect(digest?.commits.map(({ subject }) => subject)).toEqual(["older", "newer"]);
});

test("every commit is in one digest, with its author's address and its week, and the input is unchanged", () => {
  const commits = fc.array(
    fc.record({
      subject: fc.string(),
      authorEmail: fc.constantFrom("ada@example.com", "Ada@example.com", "", "__proto__", '","'),
      authoredAt: fc.date({ min: new Date("2023-12-01"), max: new Date("2024-02-01"), noInvalidDate: true }),
    }),
  );
  fc.assert(
    fc.property(commits, (contents) => {
      const history = contents.map(commitOf);
      const before = [...history];
      const digests = digestsOf(history);
      expect(history).toEqual(before);
      expect(new Set(digests.flatMap((digest) => digest.commits))).toEqual(new Set(history));
      expect(digests.flatMap((digest) => digest.commits)).toHaveLength(history.length);
      for (const { authorEmail, week, commits } of digests) {
        expect(commits.every((commit) => commit.authorEmail.toLowerCase() === authorEmail)).toBe(true);
        expect(commits.every((commit) => isoWeek(commit.authoredAt) === week)).toBe(true);
      }
      const keys = digests.map(({ week, authorEmail }) => `${week} ${authorEmail}`);
      expect(new Set(keys).size).toBe(keys.length);
    }),
  );
});

test("no commits make no digests", () => {
  expect(digestsOf([])).toEqual([]);
});
