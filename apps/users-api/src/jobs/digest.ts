import { z } from "zod";
import type { Commit } from "../git-history.ts";

/** The commits of one author on one day. */
export type Digest = z.infer<typeof digestSchema>;

/** Checks a digest when it is enqueued and when it is delivered: another version of this program may have stored it. */
export const digestSchema = z.object({
  authorName: z.string(),
  authorEmail: z.string(),
  /** The author date in UTC, such as "2026-11-27". */
  day: z.string(),
  /** Oldest first. */
  commits: z.array(z.object({ hash: z.string(), authoredAt: z.iso.datetime(), subject: z.string() })),
  /** How many commits are counted but not listed. */
  unlisted: z.int().nonnegative(),
});

const maxListed = 200;

/** Makes one digest per author and day, ordered by day and then author. An author is an address, in any case. */
export function digestsOf(commits: readonly Commit[]): Digest[] {
  const groups = new Map<string, Commit[]>();
  for (const commit of commits) {
    const key = `${commit.authoredAt.slice(0, 10)} ${commit.authorEmail.toLowerCase()}`;
    groups.set(key, [commit, ...(groups.get(key) ?? [])]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]) => {
      const oldestFirst = group.sort((a, b) => a.authoredAt.localeCompare(b.authoredAt));
      const listed = oldestFirst.slice(0, maxListed);
      return {
        authorName: oldestFirst.at(-1)?.authorName ?? "",
        authorEmail: key.slice(11),
        day: key.slice(0, 10),
        commits: listed.map(({ hash, authoredAt, subject }) => ({ hash, authoredAt, subject })),
        unlisted: group.length - listed.length,
      };
    });
}
