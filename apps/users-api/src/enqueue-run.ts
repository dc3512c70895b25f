import { createHash, randomUUID } from "node:crypto";
import type { DurableJob, JobEngine, JobWithPayload } from "@nidus/jobs-durable";
import type { Commit } from "./git-history.ts";
import { type Digest, digestsOf } from "./jobs/digest.ts";
import type { IndexedCommit } from "./jobs/index-commit.ts";

/** How many of the newest commits get a job of their own. */
const maxIndexed = 1_000;

/** The engine, and the jobs that a run stores in it. */
export interface RunJobs {
  readonly engine: JobEngine;
  readonly digestJob: DurableJob<Digest>;
  readonly commitJob: DurableJob<IndexedCommit>;
}

/**
 * Stores a job for each author and day, and for each of the newest commits. While jobs of an earlier run are left, it stores only the
 * jobs that this run lacks. Resolves to the run's id, its jobs, and how many of them an earlier process had stored.
 */
export async function enqueueRun(
  { engine, digestJob, commitJob }: RunJobs,
  commits: readonly Commit[],
  signal: AbortSignal,
) {
  const states = ["waiting", "running", "scheduled"] as const;
  const left = await Promise.all(
    [digestJob, commitJob].flatMap(({ name: jobName }) =>
      states.map((state) => engine.jobs({ jobName, state, limit: 1 })),
    ),
  );
  const runId = left.flatMap(({ jobs }) => jobs)[0]?.correlationId ?? randomUUID();

  /** Resolves to how many jobs had been stored before. Goes by portions, so that Ctrl-C need not wait for all. */
  const enqueue = async <T>(job: JobWithPayload<T>, payloads: readonly T[]): Promise<number> => {
    let duplicates = 0;
    for (let first = 0; first < payloads.length && !signal.aborted; first += 200) {
      const portion = payloads.slice(first, first + 200);
      const hash = createHash("sha256").update(JSON.stringify(portion)).digest("hex");
      const options = { idempotencyKey: `${runId}/${hash}`, correlationId: runId };
      const enqueued = await engine.enqueueMany(job, portion, options);
      duplicates += enqueued.filter(({ isDuplicate }) => isDuplicate).length;
    }
    return duplicates;
  };
  const digests = digestsOf(commits);
  const indexed = commits.slice(0, maxIndexed).map(({ hash, subject }) => ({ hash, subject }));
  const duplicates = (await enqueue(digestJob, digests)) + (await enqueue(commitJob, indexed));
  return { runId, jobs: digests.length + indexed.length, duplicates };
}
