import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "@nidus/jobs-core";
import type { Commit } from "./git-history.ts";

/** One user of the service: an author of the repository. */
export interface User {
  readonly email: string;
  readonly name: string;
  readonly commits: number;
  readonly firstCommitAt: string;
  readonly lastCommitAt: string;
}

/** Rebuilds the index of users from the history, and writes it as `users.json`. Returns how many users there are. */
export class ReindexUsers implements Job<number> {
  readonly name = "reindex_users";
  readonly #commits: readonly Commit[];
  readonly #folder: string;

  constructor(commits: readonly Commit[], folder: string) {
    this.#commits = commits;
    this.#folder = folder;
  }

  run(): number {
    const users = [...indexOf(this.#commits).values()].sort((a, b) => b.commits - a.commits);
    writeFileSync(join(this.#folder, "users.json"), `${JSON.stringify(users, undefined, 2)}\n`);
    return users.length;
  }
}

/** By address in lower case. */
function indexOf(commits: readonly Commit[]): Map<string, User> {
  const users = new Map<string, User>();
  for (const { authorEmail, authorName, authoredAt } of commits) {
    const email = authorEmail.toLowerCase();
    const at = authoredAt.toISOString();
    const known = users.get(email) ?? {
      email,
      name: authorName,
      commits: 0,
      firstCommitAt: at,
      lastCommitAt: at,
    };
    users.set(email, {
      ...known,
      commits: known.commits + 1,
      firstCommitAt: Math.min(at, known.firstCommitAt),
      lastCommitAt: Math.max(at, known.lastCommitAt),
    });
  }
  return users;
}
