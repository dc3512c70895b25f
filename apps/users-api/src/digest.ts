import type { Commit } from "./git-history.ts";

/** The commits of one author in one week. */
export interface Digest {
  readonly authorName: string;
  readonly authorEmail: string;
  /** ISO 8601 week of the author date in UTC, such as "2026-W48". */
  readonly week: string;
  /** Oldest first. */
  readonly commits: readonly DigestCommit[];
  /** How many commits are counted but not listed. @default 0 */
  readonly unlisted?: number | undefined;
}

/** A digest that was made from a history. */
export interface HistoryDigest extends Digest {
  readonly commits: readonly Commit[];
}

/** The facts about a commit that a digest lists. */
type DigestCommit = Pick<Commit, "hash" | "authoredAt" | "subject">;

/** Makes one digest per author and week, ordered by week and then author. An author is an address, in any case. */
export function digestsOf(commits: readonly Commit[]): HistoryDigest[] {
  const byAuthorAndWeek = new Map<string, Commit[]>();
  for (const commit of commits) {
    const key = JSON.stringify([isoWeek(commit.authoredAt), commit.authorEmail.toLowerCase()]);
    const group = byAuthorAndWeek.get(key);
    if (group === undefined) byAuthorAndWeek.set(key, [commit]);
    else group.push(commit);
  }
  return [...byAuthorAndWeek]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]) => {
      const [week, authorEmail] = JSON.parse(key) as [string, string];
      // The history lists the newest first: reversed, commits of the same moment are in order too.
      const commits = group.reverse().sort((a, b) => a.authoredAt.getTime() - b.authoredAt.getTime());
      return { authorName: commits.at(-1)?.authorName ?? "", authorEmail, week, commits };
    });
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Returns the ISO 8601 week of a date in UTC. A week belongs to the year of its Thursday. Week 1 is the week of that
 * year's first Thursday.
 */
export function isoWeek(date: Date): string {
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  const daysSinceMonday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(midnight + (3 - daysSinceMonday) * dayMs);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMs)) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}
