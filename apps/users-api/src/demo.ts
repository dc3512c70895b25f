import { styleText } from "node:util";
import type { Arguments } from "./arguments.ts";
import { openDigestEngine } from "./digest-engine.ts";
import { type DigestRunReport, isExpected, runDigests } from "./digest-run.ts";
import { requireRepository } from "./git-history.ts";
import { progressBar } from "./progress.ts";
import { defaultFolder } from "./run-folder.ts";
import { RunSummary } from "./run-summary.ts";
import { startTelemetry } from "./telemetry.ts";
import { renderTrace } from "./trace-tree.ts";
import { version } from "./version.ts";

/** How many failures to list one by one. */
const maxFailuresShown = 20;

/**
 * Runs all digests once, or the rest of an interrupted run, and prints what happened. Ctrl-C ends it early: no further
 * job starts, running jobs go back to the queue, and the report covers the jobs that ran.
 *
 * Resolves to the exit status: 0 if only unusable addresses failed, else 1.
 */
export async function demo({ repository, out, concurrency, engine: choice }: Arguments): Promise<number> {
  await requireRepository(repository);
  const folder = out ?? (await defaultFolder(repository));
  const telemetry = startTelemetry(version);
  const summary = new RunSummary();
  const progress = progressBar();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    await using digestEngine = await openDigestEngine({
      choice,
      repository,
      folder,
      smtpUrl: process.env.SMTP_URL,
      concurrency,
      telemetry,
      observers: [summary, progress.observer],
    });
    const report = await runDigests({
      repository,
      folder,
      digestEngine,
      onQueued: (jobs) => progress.start(jobs),
      onLeft: (digests) => progress.left(digests),
      signal: interrupted.signal,
    }).finally(() => progress.stop());
    const failed = [...report.reindex.failed, ...report.digests.failed];
    const shown = failed
      .slice(0, maxFailuresShown)
      .map(({ jobName, error }) => `${jobName}: ${error.message}`);
    if (failed.length > shown.length) shown.push(`and ${failed.length - shown.length} more`);
    print("Summary", summary.render());
    print("Failures", failed.length === 0 ? "none" : shown.join("\n"));
    print("The slowest run", renderTrace(telemetry.slowestTrace.spans));
    print("Metrics", (await telemetry.observability.metrics()).trimEnd());
    console.log(outcomeOf(report, folder, digestEngine.engine.capabilities.persistence));
    return !report.digests.wasAborted && failed.every(isExpected) ? 0 : 1;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    await telemetry.observability.shutdown();
  }
}

function outcomeOf({ digests }: DigestRunReport, folder: string, isPersistent: boolean): string {
  const { completed, failed, cancelled, notStarted, wasAborted, endedEarlier = 0 } = digests;
  const left = cancelled.length + notStarted.length;
  const sent = `${completed.length} of ${completed.length + failed.length + left} digests are in ${folder}`;
  const earlier = endedEarlier === 0 ? "" : `${endedEarlier} digests were finished by an earlier run\n`;
  if (!wasAborted) return `${earlier}Done: ${sent}`;
  const onwards = isPersistent
    ? `run the same command again for the other ${left}`
    : "the others are lost with this engine";
  return `${earlier}Interrupted: ${sent}; ${onwards}`;
}

function print(heading: string, text: string): void {
  const isPlain = !process.stdout.isTTY || process.env.NO_COLOR !== undefined;
  console.log(`${isPlain ? heading : styleText("bold", heading)}\n${text}\n`);
}
