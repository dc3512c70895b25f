import { randomUUID } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Job, job } from "@nidus/jobs-core";
import type { Commit } from "../history/git-history.ts";

/** Makes the job that writes the authors and their numbers of commits to `users.json`, the busiest first. It needs no engine. */
export function reindexUsers(commits: readonly Commit[], folder: string): Job<number> {
  return job("reindex_users", () => {
    const users = new Map<string, { email: string; name: string; commits: number }>();
    for (const { authorEmail, authorName } of commits) {
      const email = authorEmail.toLowerCase();
      const user = users.get(email) ?? { email, name: authorName, commits: 0 };
      users.set(email, { ...user, commits: user.commits + 1 });
    }
    const path = join(folder, "users.json");
    // Only the owner may read addresses. The draft is never an existing file or link.
    const draft = `${path}.${randomUUID()}.part`;
    const sorted = [...users.values()].sort((a, b) => b.commits - a.commits);
    writeFileSync(draft, `${JSON.stringify(sorted, undefined, 2)}\n`, { flag: "wx", mode: 0o600 });
    renameSync(draft, path);
    return users.size;
  });
}
