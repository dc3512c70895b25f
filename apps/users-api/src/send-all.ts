import { JobError, type JobFailure, type JobReport } from "@nidus/jobs-core";
import type { DeadLetter } from "@nidus/jobs-durable";
import type { DigestEngine } from "./digest-engine.ts";
import type { DigestPayload } from "./digest-payload.ts";
import { enqueueAll } from "./enqueue-all.ts";
import { hashOf, RunFile, type UnfinishedRun } from "./run-file.ts";
import { requireUsableAddress, sendDigestName } from "./send-digest.ts";
import { untilEnded, untilNoneIsLeft } from "./waiting.ts";

/** The digests of one run, and the engine for them. */
export interface SendAllOptions {
  readonly payloads: readonly DigestPayload[];
  /** The folder that records which run is under way. */
  readonly folder: string;
  readonly digestEngine: DigestEngine;
  readonly onLeft?: ((digests: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The outcomes of one run's digests, in all processes. */
export interface DigestsReport
  extends Pick<JobReport, "completed" | "failed" | "cancelled" | "notStarted" | "wasAborted"> {
  /** How many digests had ended before this process began. @default 0 */
  readonly endedEarlier?: number;
}

/**
 * Enqueues digests and lets the engine send them. If an earlier process did not finish the same digests, this continues
 * its run: it enqueues only the missing ones, and sends none twice that has ended.
 */
export async function sendAll(options: SendAllOptions): Promise<DigestsReport> {
  const { payloads, folder, digestEngine, onLeft, signal = new AbortController().signal } = options;
  if (payloads.length === 0) return reportOf(0, [], 0, 0);
  const { tracker } = digestEngine;
  const runFile = new RunFile(folder);
  tracker.begin();
  try {
    const run = await beginRun(runFile, hashOf(payloads), digestEngine, signal);
    const { ids, duplicates } = await enqueueAll(digestEngine, run.runId, payloads, signal);
    const leftAtFirst = duplicates === 0 ? payloads.length : await digestEngine.countLeft();
    const endedEarlier = Math.max(0, Math.min(duplicates, payloads.length - leftAtFirst));
    if (!signal.aborted) await digestEngine.work();
    await untilEnded(digestEngine, ids, signal, onLeft);
    if (signal.aborted) await digestEngine.stop();
    const { failed, left } = await lookUp(digestEngine, ids, payloads.length, signal);
    if (left === 0) await runFile.finish(run);
    return { ...reportOf(payloads.length, failed, tracker.countCancelled(ids), left), endedEarlier };
  } finally {
    tracker.end();
  }
}

/** Returns the run under way, or a new one. A changed digest is sent after the older one, and replaces it. */
async function beginRun(
  runFile: RunFile,
  digestsHash: string,
  digestEngine: DigestEngine,
  signal: AbortSignal,
): Promise<UnfinishedRun> {
  const previous = await runFile.read();
  if (previous?.digestsHash === digestsHash) return previous;
  if (previous !== undefined) {
    await digestEngine.work();
    await untilNoneIsLeft(digestEngine, signal);
    // The earlier run must be finished first.
    if (signal.aborted) return previous;
  }
  return runFile.begin(digestsHash, previous);
}

/** Asks the engine for the outcomes. If it is unreachable after an abort, returns what is known here. */
async function lookUp(
  { engine, countLeft, tracker }: DigestEngine,
  ids: ReadonlySet<string>,
  total: number,
  signal: AbortSignal,
): Promise<{ failed: readonly JobFailure[]; left: number }> {
  const notEnqueued = total - ids.size;
  try {
    const { byName } = await engine.stats();
    const limit = byName[sendDigestName]?.deadLettered ?? 0;
    const letters = limit === 0 ? [] : await engine.deadLetters({ limit });
    const failed = letters.filter(({ id }) => ids.has(id)).reverse();
    const left = signal.aborted ? await countLeft() : 0;
    return { failed: failed.map(failureOf), left: Math.min(total - failed.length, left + notEnqueued) };
  } catch (error) {
    if (!signal.aborted) throw error;
    return { failed: [], left: total - tracker.countSettled(ids) };
  }
}

/**
 * Makes the failure of a dead letter, which keeps only the message of its error. Whether the failure was expected
 * follows from the address.
 */
function failureOf({ jobName, payload, error }: DeadLetter): JobFailure {
  try {
    requireUsableAddress(payload as DigestPayload);
    return { jobName, error: new JobError(error) };
  } catch (unusable) {
    return { jobName, error: JobError.from(unusable) };
  }
}

function reportOf(
  total: number,
  failed: readonly JobFailure[],
  cancelled: number,
  left: number,
): DigestsReport {
  const names = (count: number): string[] => Array<string>(Math.max(0, count)).fill(sendDigestName);
  return {
    completed: names(total - failed.length - left),
    failed,
    cancelled: names(Math.min(cancelled, left)),
    notStarted: names(left - cancelled),
    wasAborted: left > 0,
  };
}
