import { type JobFailure, JobQueue, type JobReport } from "@nidus/jobs-core";
import { digestsOf } from "./digest.ts";
import type { DigestEngine } from "./digest-engine.ts";
import { payloadOf } from "./digest-payload.ts";
import { readHistory } from "./git-history.ts";
import { ReindexUsers } from "./reindex-users.ts";
import { type DigestsReport, sendAll } from "./send-all.ts";
import { UnusableAddressError } from "./send-digest.ts";

/** What one run of all digests is to do. */
export interface DigestRunOptions {
  readonly repository: string;
  readonly folder: string;
  readonly digestEngine: DigestEngine;
  /** Told of how many jobs there are, before the first of them runs. */
  readonly onQueued?: (jobs: number) => void;
  /** Told now and then of how many digests have not ended, wherever they run. */
  readonly onLeft?: (digests: number) => void;
  readonly signal?: AbortSignal;
}

/** What became of it. */
export interface DigestRunReport {
  readonly reindex: JobReport;
  readonly digests: DigestsReport;
}

/**
 * Reads the history, runs one `reindex_users` in this process, and has the engine run a `send_digest` for each author and week. Resolves
 * when none of them is left, or soon after the signal was aborted.
 *
 * @throws (rejects with) UserError before anything has run, if the repository cannot be used; EngineUnavailableError.
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

/** Whether a failure is one that any history may have, and that needs nobody's attention. */
export function isExpected({ error }: JobFailure): boolean {
  return error instanceof UnusableAddressError;
}
