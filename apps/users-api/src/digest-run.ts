import { AsyncJobQueue, type JobFailure, JobQueue, type JobReport } from "@nidus/jobs-core";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { digestsOf } from "./digest.ts";
import { readHistory } from "./git-history.ts";
import { openOutbox } from "./outbox.ts";
import { ReindexUsers } from "./reindex-users.ts";
import { SendDigest, UnusableAddressError } from "./send-digest.ts";
import type { Telemetry } from "./telemetry.ts";

/** What one run of all digests is to do. */
export interface DigestRunOptions {
  readonly repository: string;
  readonly folder: string;
  readonly smtpUrl: string | undefined;
  readonly concurrency: number;
  readonly telemetry: Telemetry;
  /** Observers of this run alone, beside those of the service. */
  readonly observers?: readonly JobObserver[];
  readonly onQueued?: (jobs: number) => void;
  readonly signal?: AbortSignal;
}

/** What became of it. */
export interface DigestRunReport {
  readonly reindex: JobReport;
  readonly digests: JobReport;
}

/**
 * Reads the history, and queues and runs one `reindex_users` and a `send_digest` for each author and week.
 *
 * @throws (rejects with) UserError before anything has run, if the repository or the folder cannot be used.
 */
export async function runDigests(options: DigestRunOptions): Promise<DigestRunReport> {
  const { repository, folder, smtpUrl, concurrency, telemetry, observers = [], signal } = options;
  const runner = new ObservedJobRunner([telemetry.observability.jobObserver(), ...observers]);
  const commits = await readHistory(repository);
  const outbox = await openOutbox(folder, smtpUrl);
  try {
    const reindexing = new JobQueue();
    reindexing.push(new ReindexUsers(commits, folder));
    const sending = new AsyncJobQueue();
    sending.pushAll(digestsOf(commits).map((digest) => new SendDigest(digest, outbox, telemetry.tracer)));
    options.onQueued?.(reindexing.size + sending.size);
    const reindex = reindexing.runAll({ runner });
    const digests = await sending.runAll({ runner, concurrency, signal });
    return { reindex, digests };
  } finally {
    outbox.close();
  }
}

/** Whether a failure is one that any history may have, and that needs nobody's attention. */
export function isExpected({ error }: JobFailure): boolean {
  return error.cause instanceof UnusableAddressError;
}
