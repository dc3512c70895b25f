import fc from "fast-check";
import { expect, test } from "vitest";
import { digestSchema, digestsOf } from "../../src/jobs/digest.ts";
import { commitOf } from "../support/digests.ts";

const at = (time: string): string => `2024-01-${time}.000Z`;

test("there is a digest for each author and day in UTC, by day and then author", () => {
  const digests = digestsOf([
    commitOf({ authorEmail: "grace@example.com", authoredAt: at("10T12:00:00") }),
    commitOf({ authorEmail: "ada@example.com", authoredAt: at("10T23:59:59") }),
    commitOf({ authorEmail: "ada@example.com", authoredAt: at("10T00:00:00") }),
    commitOf({ authorEmail: "grace@example.com", authoredAt: at("09T23:59:59") }),
  ]);
  expect(digests.map(({ day, authorEmail, commits }) => [day, authorEmail, commits.length])).toEqual([
    ["2024-01-09", "grace@example.com", 1],
    ["2024-01-10", "ada@example.com", 2],
    ["2024-01-10", "grace@example.com", 1],
  ]);
});

test("an author is an address, whatever its case, under the name used last", () => {
  const digests = digestsOf([
    commitOf({ authorEmail: "ADA@Example.com", authorName: "Ada King", authoredAt: at("03T13:00:00") }),
    commitOf({ authorEmail: "ada@example.com", authorName: "Ada", authoredAt: at("03T12:00:00") }),
  ]);
  expect(digests).toMatchObject([{ authorEmail: "ada@example.com", authorName: "Ada King" }]);
});

test("a digest's commits are oldest first, also those of one second", () => {
  const [digest] = digestsOf([
    commitOf({ subject: "second of the same second" }),
    commitOf({ subject: "first of the same second" }),
    commitOf({ subject: "late", authoredAt: at("03T13:00:00") }),
  ]);
  expect(digest?.commits.map(({ subject }) => subject)).toEqual([
    "first of the same second",
    "second of the same second",
    "late",
  ]);
});

test("every commit is in one digest, with its author's address, the schema takes it, and the input is unchanged", () => {
  const commits = fc.array(
    fc.record({
      hash: fc.uuid(),
      subject: fc.string({ maxLength: 1_000 }),
      authorEmail: fc.constantFrom("ada@example.com", "Ada@example.com", "", "__proto__", '","'),
      authoredAt: fc
        .date({ min: new Date("2023-12-01"), max: new Date("2024-02-01"), noInvalidDate: true })
        .map((time) => time.toISOString()),
    }),
  );
  fc.assert(
    fc.property(commits, (contents) => {
      const history = contents.map(commitOf);
      const before = [...history];
      const digests = digestsOf(history);
      expect(history).toEqual(before);
      for (const digest of digests) expect(digestSchema.parse(digest)).toEqual(digest);
      const listed = digests.flatMap(({ authorEmail, commits }) =>
        commits.map(({ hash, authoredAt }) => `${authorEmail} ${hash} ${authoredAt}`),
      );
      const expected = history.map(
        ({ authorEmail, hash, authoredAt }) => `${authorEmail.toLowerCase()} ${hash} ${authoredAt}`,
      );
      expect(listed.sort()).toEqual(expected.sort());
    }),
  );
});

test("of a day with very many commits, a digest lists as many as a job can hold, and counts the others", () => {
  const [digest] = digestsOf(Array.from({ length: 5_000 }, () => commitOf({ subject: "ü".repeat(1_000) })));
  expect(digest?.commits).toHaveLength(200);
  expect(digest?.unlisted).toBe(4_800);
  expect(Buffer.byteLength(JSON.stringify(digest))).toBeLessThan(1024 * 1024);
});
