import { z } from "zod";
import type { Commit } from "../history/git-history.ts";

/** The commits of one author on one day, as engines store them: JSON. */
export interface Digest {
  readonly authorName: string;
  readonly authorEmail: string;
  /** The author date in UTC, such as "2026-11-27". */
  readonly day: string;
  /** Oldest first, with ISO 8601 times. */
  readonly commits: readonly {
    readonly hash: string;
    readonly authoredAt: string;
    readonly subject: string;
  }[];
  /** How many commits are counted but not listed. */
  readonly unlisted: number;
}

/** Checks a digest when it is enqueued and when it is delivered: another version of this program may have stored it. */
export const digestSchema: z.ZodType<Digest, Digest> = z.object({
  authorName: z.string(),
  authorEmail: z.string(),
  day: z.string(),
  commits: z.array(z.object({ hash: z.string(), authoredAt: z.iso.datetime(), subject: z.string() })),
  unlisted: z.int().nonnegative(),
});

/** How many commits to list. With subjects of at most 1,000 characters, they fit into the 1 MiB of a stored job. */
const maxListed = 200;

/** Makes one digest per author and day, ordered by day and then author. An author is an address, in any case. */
export function digestsOf(commits: readonly Commit[]): Digest[] {
  const groups = new Map<string, Commit[]>();
  for (const commit of commits) {
    const key = `${commit.authoredAt.toISOString().slice(0, 10)} ${commit.authorEmail.toLowerCase()}`;
    groups.set(key, [commit, ...(groups.get(key) ?? [])]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]) => {
      // The history lists the newest first, and a group its oldest.
      const oldestFirst = group.sort((a, b) => a.authoredAt.getTime() - b.authoredAt.getTime());
      return {
        authorName: shortened(oldestFirst.at(-1)?.authorName ?? ""),
        authorEmail: shortened(key.slice(11)),
        day: key.slice(0, 10),
        commits: oldestFirst.slice(0, maxListed).map(({ hash, authoredAt, subject }) => ({
          hash,
          authoredAt: authoredAt.toISOString(),
          subject: shortened(subject),
        })),
        unlisted: Math.max(0, group.length - maxListed),
      };
    });
}

/** Cuts an untrusted text without splitting a surrogate pair, of which PostgreSQL refuses half. */
export function shortened(text: string): string {
  if (text.length <= 1_000) return text;
  return `${text.slice(0, 999).replace(/[\ud800-\udbff]$/, "")}…`;
}
