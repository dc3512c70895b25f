import { styleText } from "node:util";
import type { Arguments } from "./arguments.ts";
import { isExpected, runDigests } from "./digest-run.ts";
import { requireRepository } from "./git-history.ts";
import { temporaryFolder } from "./outbox.ts";
import { progressBar } from "./progress.ts";
import { RunSummary } from "./run-summary.ts";
import { startTelemetry } from "./telemetry.ts";
import { renderTrace } from "./trace-tree.ts";
import { version } from "./version.ts";

/** Failures that are listed one by one. */
const maxFailuresShown = 20;

/**
 * Runs all digests once and prints what happened. Ctrl-C ends it early: no further job starts, and what ran is reported.
 * Resolves to the exit status: 0 if nothing but unusable addresses failed, else 1.
 */
export async function demo({ repository, out, concurrency }: Arguments): Promise<number> {
  await requireRepository(repository);
  const folder = out ?? (await temporaryFolder());
  const telemetry = startTelemetry(version);
  const summary = new RunSummary();
  const progress = progressBar();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const { reindex, digests } = await runDigests({
      repository,
      folder,
      concurrency,
      telemetry,
      smtpUrl: process.env.SMTP_URL,
      observers: [summary, progress.observer],
      onQueued: (jobs) => progress.start(jobs),
      signal: interrupted.signal,
    }).finally(() => progress.stop());
    const failed = [...reindex.failed, ...digests.failed];
    const shown = failed.slice(0, maxFailuresShown).map(({ job, error }) => `${job}: ${error.message}`);
    if (failed.length > shown.length) shown.push(`and ${failed.length - shown.length} more`);
    print("Summary", summary.render());
    print("Failures", failed.length === 0 ? "none" : shown.join("\n"));
    print("The slowest run", renderTrace(telemetry.slowestTrace.spans));
    print("Metrics", (await telemetry.observability.metrics()).trimEnd());
    const { completed, failed: unsent, cancelled, notStarted, wasAborted } = digests;
    const total = [completed, unsent, cancelled, notStarted].reduce((sum, { length }) => sum + length, 0);
    console.log(
      `${wasAborted ? "Interrupted" : "Done"}: ${completed.length} of ${total} digests are in ${folder}`,
    );
    return !wasAborted && failed.every(isExpected) ? 0 : 1;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    await telemetry.observability.shutdown();
  }
}

function print(heading: string, text: string): void {
  const isPlain = !process.stdout.isTTY || process.env.NO_COLOR !== undefined;
  console.log(`${isPlain ? heading : styleText("bold", heading)}\n${text}\n`);
}
