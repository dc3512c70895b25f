import { randomUUID } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "@nidus/jobs-core";
import type { Commit } from "./git-history.ts";

/** One user of the service: an author of the repository. */
interface User {
  readonly email: string;
  readonly name: string;
  readonly commits: number;
  readonly firstCommitAt: string;
  readonly lastCommitAt: string;
}

/** Rebuilds the index of users from the history, and writes it to `users.json`. Returns the number of users. */
export class ReindexUsers implements Job<number> {
  readonly name = "reindex_users";
  readonly #commits: readonly Commit[];
  readonly #folder: string;

  constructor(commits: readonly Commit[], folder: string) {
    this.#commits = commits;
    this.#folder = folder;
  }

  run(): number {
    const users = usersOf(this.#commits).sort((a, b) => b.commits - a.commits);
    const path = join(this.#folder, "users.json");
    // Only the owner may read addresses. The draft is never an existing file or link.
    const draft = `${path}.${randomUUID()}.part`;
    try {
      writeFileSync(draft, `${JSON.stringify(users, undefined, 2)}\n`, { flag: "wx", mode: 0o600 });
      renameSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
    return users.length;
  }
}

/** Returns the users, by address in lower case. */
function usersOf(commits: readonly Commit[]): User[] {
  const byEmail = new Map<string, Commit[]>();
  for (const commit of commits) {
    const email = commit.authorEmail.toLowerCase();
    const known = byEmail.get(email);
    if (known === undefined) byEmail.set(email, [commit]);
    else known.push(commit);
  }
  return [...byEmail].map(([email, own]) => {
    const times = own.map(({ authoredAt }) => authoredAt.toISOString()).sort();
    const [first = "", last = first] = [times[0], times.at(-1)];
    return {
      email,
      name: own[0]?.authorName ?? "",
      commits: own.length,
      firstCommitAt: first,
      lastCommitAt: last,
    };
  });
}
