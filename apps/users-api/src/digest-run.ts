import { type JobFailure, JobQueue, type JobReport } from "@nidus/jobs-core";
import { digestsOf } from "./digest.ts";
import type { DigestEngine } from "./digest-engine.ts";
import { payloadOf } from "./digest-payload.ts";
import { readHistory } from "./git-history.ts";
import { ReindexUsers } from "./reindex-users.ts";
import { type DigestsReport, sendAll } from "./send-all.ts";
import { UnusableAddressError } from "./send-digest.ts";

/** Options of {@link runDigests}. */
export interface DigestRunOptions {
  readonly repository: string;
  readonly folder: string;
  readonly digestEngine: DigestEngine;
  /** Called with the number of jobs, before the first of them runs. */
  readonly onQueued?: (jobs: number) => void;
  /** Called now and then with the number of digests that have not ended, in any process. */
  readonly onLeft?: (digests: number) => void;
  readonly signal?: AbortSignal;
}

/** The reports of both kinds of jobs. */
export interface DigestRunReport {
  readonly reindex: JobReport;
  readonly digests: DigestsReport;
}

/**
 * Reads the history, runs `reindex_users` in this process, and lets the engine run a `send_digest` for each author and
 * week. Resolves when none of them is left, or soon after the signal is aborted.
 *
 * @throws (rejects with) UserError if the repository cannot be used, before any job runs; EngineUnavailableError.
 */
export async function runDigests(options: DigestRunOptions): Promise<DigestRunReport> {
  const { repository, folder, digestEngine, onQueued, onLeft, signal } = options;
  const commits = await readHistory(repository);
  const payloads = digestsOf(commits).map(payloadOf);
  const reindexing = new JobQueue();
  reindexing.push(new ReindexUsers(commits, folder));
  onQueued?.(reindexing.size + payloads.length);
  const reindex = reindexing.runAll({ runner: digestEngine.runner });
  const digests = await sendAll({ payloads, folder, digestEngine, onLeft, signal });
  return { reindex, digests };
}

/** Tells whether a failure is normal: any history may have it, and you need not act on it. */
export function isExpected({ error }: JobFailure): boolean {
  return error instanceof UnusableAddressError;
}
