import { join } from "node:path";
import { type AsyncJob, asyncJob } from "@nidus/jobs-core";
import type { Commit } from "../git-history.ts";
import { writePrivately } from "./private-file.ts";

/** Makes the job that writes the authors and their numbers of commits to `users.json`, the busiest first. It needs no engine. */
export function reindexUsers(commits: readonly Commit[], folder: string): AsyncJob<number> {
  return asyncJob("reindex_users", async (signal) => {
    const users = new Map<string, { email: string; name: string; commits: number }>();
    for (const { authorEmail, authorName } of commits) {
      const email = authorEmail.toLowerCase();
      const user = users.get(email) ?? { email, name: authorName, commits: 0 };
      users.set(email, { ...user, commits: user.commits + 1 });
    }
    const sorted = [...users.values()].sort((a, b) => b.commits - a.commits);
    await writePrivately(join(folder, "users.json"), `${JSON.stringify(sorted, undefined, 2)}\n`, signal);
    return users.size;
  });
}
