import type { JobProgress, ObservedJobContext } from "@nidus/jobs-observe";
import { startedContext } from "@nidus/jobs-observe/adapter";
import type { JobActivity } from "../process/job-activity.ts";
import type { FinishedRun } from "../process/run-ring.ts";
import { traceIdOf } from "../process/trace.ts";
import type { RunFacts, RunningRun, RunningView, RunView } from "../wire.ts";
import { durationsOf } from "./job-figures.ts";
import { readingOf, readStats } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { percentile, rounded } from "./time.ts";

/** How many running runs are listed, the oldest. */
const maxListed = 200;

/** Describes a run. */
export function runFacts(
  model: PageModel,
  context: ObservedJobContext,
  status: RunFacts["status"],
  span: unknown,
): RunFacts {
  const { runId, jobName, startedAtMs, durationMs, attributes, delivery } = context;
  const traceId = traceIdOf(span, delivery);
  return {
    runId,
    jobName,
    status,
    startedAt: Math.round(startedAtMs),
    durationMs: durationMs === undefined ? null : rounded(durationMs),
    attributes: model.attributes({ jobName, jobId: delivery?.jobId, attributes }),
    delivery: model.delivery(delivery),
    traceId: traceId ?? null,
    traceUrl: model.traceUrl(traceId),
  };
}

/** Lists what runs now, the oldest first. */
export async function runningView(model: PageModel): Promise<RunningView> {
  const { running } = model.process;
  const p95s = new Map<string, number | null>();
  const p95Of = (jobName: string): number | null => {
    const known = p95s.get(jobName);
    if (known !== undefined) return known;
    const activity = model.process.find(jobName);
    const p95Ms = activity === undefined ? null : percentile(durationsOf(activity), 0.95);
    p95s.set(jobName, p95Ms);
    return p95Ms;
  };
  const runs: RunningRun[] = [];
  for (const [context, span] of running.entries()) {
    if (runs.length === maxListed) break;
    const facts = runFacts(model, context, "running", span);
    const { objectives, options } = model.process.find(context.jobName) ?? {};
    runs.push({
      ...facts,
      p95Ms: p95Of(context.jobName),
      finishWithinMs: objectives?.finishWithinMs ?? null,
      timeoutMs: options?.timeoutMs ?? null,
      progress: progressOf(model.process.progressOf(context)),
    });
  }
  const stored = (await readStats(model)).map(({ reader, answer }) => ({
    name: reader.identity.key,
    running: answer.value?.running ?? 0,
    ...readingOf(answer),
  }));
  return { runs, beyondLimit: running.size - runs.length + running.beyondLimit, stored };
}

/** Returns a progress as the page shows it. */
export function progressOf(progress: Partial<JobProgress> | undefined): RunningRun["progress"] {
  const { fraction, note } = progress ?? {};
  if (fraction === undefined || !Number.isFinite(fraction)) return null;
  return {
    fraction: Math.min(1, Math.max(0, fraction)),
    note: typeof note === "string" ? note.slice(0, 300) : null,
  };
}

/** Describes one run, if it is running or still kept. */
export function runView(model: PageModel, jobName: string, runId: string): RunView {
  for (const [context, span] of model.process.running.entries()) {
    if (context.jobName !== jobName || context.runId !== runId) continue;
    return { run: runFacts(model, context, "running", span), error: null, errorIsGone: false };
  }
  const activity = model.process.find(jobName);
  const run = activity?.ring.runs().find(({ context }) => context.runId === runId);
  if (run !== undefined) return finishedRunView(model, run);
  // A failure may be kept for longer than its run.
  for (const { context, span, error } of model.process.failures.records()) {
    if (context.runId !== runId || context.jobName !== jobName) continue;
    return { run: runFacts(model, context, "failure", span), error, errorIsGone: false };
  }
  return { run: null, error: null, errorIsGone: false };
}

function finishedRunView(model: PageModel, { context, status, span }: FinishedRun): RunView {
  const error = model.process.failures.of(context)?.error ?? null;
  const run = runFacts(model, context, status, span);
  return { run, error, errorIsGone: status === "failure" && error === null };
}

/** Finds the kept and running attempts of a stored job in this process, oldest first. */
export function attemptsOf(activity: JobActivity, jobId: string): readonly FinishedRun[] {
  return activity.ring.runs().filter(({ context }) => context.delivery?.jobId === jobId);
}

/** Finds the run of a stored job that is running in this process. */
export function runningAttemptOf(
  model: PageModel,
  jobName: string,
  jobId: string,
): readonly [context: ObservedJobContext, span: unknown] | undefined {
  for (const entry of model.process.running.entries()) {
    const { delivery, jobName: name } = startedContext(entry[0]);
    if (name === jobName && delivery?.jobId === jobId) return entry;
  }
  return undefined;
}
