import { expect, test } from "vitest";
import { digestSchema, payloadOf } from "../src/digest-payload.ts";
import { commitOf, digestOf } from "./support/digests.ts";

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

test("a digest comes back from its payload unchanged, except for facts that no digest lists", () => {
  const { hash, subject } = commitOf();
  // Author lines may hold years with more than four digits.
  const authoredAt = new Date(8.64e15);
  const digest = digestOf({ commits: [commitOf({ authoredAt })] });
  const stored: unknown = JSON.parse(JSON.stringify(payloadOf(digest)));
  expect(digestSchema.parse(stored)).toEqual({
    ...digest,
    commits: [{ hash, authoredAt, subject }],
    unlisted: 0,
  });
});

test("of a week with very many commits, a job lists as many as it can hold, and counts the others", () => {
  const commits = Array.from({ length: 20_000 }, (_, index) =>
    commitOf({ subject: `"work" ${index} \u0001` }),
  );
  const payload = payloadOf(digestOf({ commits }));
  expect(payload.commits.length).toBeGreaterThan(1_000);
  expect(payload.commits.length + payload.unlisted).toBe(20_000);
  expect(bytesOf(payload)).toBeLessThan(1024 * 1024);
});

test("very long texts are cut, but never in the middle of a character", () => {
  const book = "😀".repeat(500_000);
  const names = { authorName: book, authorEmail: `x${book}` };
  const payload = payloadOf(digestOf({ ...names, commits: [commitOf({ subject: `x${book}` })] }));
  expect(payload.commits).toHaveLength(1);
  expect(bytesOf(payload)).toBeLessThan(1024 * 1024);
  expect(JSON.stringify(payload)).not.toMatch(/\\ud/);
});

test.each([
  [{}],
  [{ ...payloadOf(digestOf()), week: 1 }],
  [{ ...payloadOf(digestOf()), commits: [{ hash: "", authoredAt: "yesterday", subject: "" }] }],
])("%j is no digest", (stored) => {
  expect(digestSchema.safeParse(stored).success).toBe(false);
});
