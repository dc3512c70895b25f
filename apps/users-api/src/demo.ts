import { setTimeout as pause } from "node:timers/promises";
import { styleText } from "node:util";
import { type App, openApp } from "./app.ts";
import type { Arguments } from "./command-line.ts";
import { startService } from "./service.ts";
import { Summary } from "./summary.ts";

/**
 * Runs all jobs once, or the rest of an interrupted run, and prints what happened. Ctrl-C ends it early: running jobs go back to the
 * queue, and the summary covers the jobs that ran.
 *
 * Resolves to the exit status: 0 if only unusable addresses failed, else 1.
 */
export async function demo(options: Arguments): Promise<number> {
  const summary = new Summary();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const { signal } = interrupted;
  await using app = await openApp(options, summary);
  await using service = await startService(app, options.port ?? 0);
  console.log(`Jobs index the commits of ${options.repository} and write a digest for each author and day`);
  const lifetime = options.serve ? "" : " (until the jobs have ended; --serve keeps it up)";
  console.log(`Live page: ${service.url}/jobs/${lifetime}\n`);
  const run = await app.enqueueRun(signal);
  const leftAtFirst = await app.countLeft();
  const worker = signal.aborted ? undefined : await app.work();
  const left = await untilNoneIsLeft(app, signal);
  await worker?.stop({ graceMs: 500, abortMs: 2_000 });
  print("Summary", summary.table());
  print("Failures", summary.failures());
  print("The slowest run with steps", String(app.slowestTrace));
  if (options.metrics) print("Metrics", (await app.observability.metrics()).trimEnd());
  if (run.duplicates > 0)
    console.log(`${Math.max(0, run.jobs - leftAtFirst)} jobs were finished by an earlier run`);
  const ended = `${Math.max(0, run.jobs - left)} of ${run.jobs} jobs have ended; their files are in ${app.folder}`;
  const onwards = app.engine.capabilities.persistence
    ? `run the same command again for the other ${left}`
    : "the others are lost with this engine";
  console.log(left === 0 ? `Done: ${ended}` : `Interrupted: ${ended}; ${onwards}`);
  if (options.serve && !signal.aborted) {
    console.log(`The page stays at ${service.url}/jobs/ until you press Ctrl-C`);
    await pause(2 ** 31 - 1, undefined, { signal }).catch(() => {});
  }
  return left === 0 && !summary.hasUnexpectedFailure ? 0 : 1;
}

/** Resolves to how many jobs are left: none, or some after the signal was aborted. Shows the progress on a terminal. */
async function untilNoneIsLeft({ countLeft }: App, signal: AbortSignal): Promise<number> {
  const { stderr } = process;
  for (;;) {
    // A server that is away for a moment may come back.
    const left = await countLeft().catch(() => undefined);
    if (stderr.isTTY) stderr.write(left ? `\r\u001b[K${left} jobs left` : "\r\u001b[K");
    if (left === 0 || signal.aborted) return left ?? 1;
    await pause(100, undefined, { signal }).catch(() => {});
  }
}

function print(heading: string, text: string): void {
  const isPlain = !process.stdout.isTTY || process.env.NO_COLOR !== undefined;
  console.log(`${isPlain ? heading : styleText("bold", heading)}\n${text}\n`);
}
