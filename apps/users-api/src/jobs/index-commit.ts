import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type DurableJob, defineJob } from "@nidus/jobs-durable";
import { z } from "zod";
import { writePrivately } from "./private-file.ts";

/** A commit, as engines store it. */
export type IndexedCommit = z.infer<typeof commitSchema>;
const commitSchema = z.object({
  hash: z.string().regex(/^[0-9a-f]{40,64}$/), // becomes a path: nothing else may be in it
  subject: z.string(),
});

/** Makes the job that writes the search words of one commit to a file. Running it again writes the same file. */
export function indexCommit(folder: string): DurableJob<IndexedCommit> {
  return defineJob({
    name: "index_commit",
    schema: commitSchema,
    async run({ hash, subject }, { signal }) {
      const words = [...new Set(subject.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu))];
      const shelf = join(folder, "commits", hash.slice(0, 2));
      await mkdir(shelf, { recursive: true, mode: 0o700 });
      await writePrivately(join(shelf, `${hash}.json`), JSON.stringify({ subject, words }), signal);
    },
  });
}
