import type { Commit } from "../../src/git-history.ts";
import type { Digest } from "../../src/jobs/digest.ts";

/** Makes a commit with the given facts, and made-up ones. */
export function commitOf(content: Partial<Commit> = {}): Commit {
  return {
    hash: "0123456789abcdef0123456789abcdef01234567",
    authorName: "Ada Lovelace",
    authorEmail: "ada@example.com",
    authoredAt: "2024-01-03T12:00:00.000Z",
    subject: "work",
    ...content,
  };
}

/** Makes a digest with the given facts, and made-up ones. */
export function digestOf(content: Partial<Digest> = {}): Digest {
  return {
    authorName: "Ada Lovelace",
    authorEmail: "ada@example.com",
    day: "2024-01-03",
    commits: [{ hash: commitOf().hash, authoredAt: "2024-01-03T12:00:00.000Z", subject: "work" }],
    unlisted: 0,
    ...content,
  };
}
