import type { JobProgress, ObservedJobData } from "@nidus/jobs-observe";
import type { JobActivity } from "../process/job-activity.ts";
import { cutName } from "../process/job-name.ts";
import type { FinishedRun } from "../process/run-ring.ts";
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
  context: ObservedJobData,
  status: RunFacts["status"],
  traceId: string | undefined,
): RunFacts {
  const { runId, startedAtMs, durationMs, attributes, delivery } = context;
  const jobName = cutName(context.jobName);
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
  const p95s = new Map<JobActivity, number | null>();
  const p95Of = (activity: JobActivity): number | null => {
    const known = p95s.get(activity);
    if (known !== undefined) return known;
    const p95Ms = percentile(durationsOf(activity), 0.95);
    p95s.set(activity, p95Ms);
    return p95Ms;
  };
  const runs: RunningRun[] = [];
  for (const [context, traceId] of running.entries()) {
    if (runs.length === maxListed) break;
    const activity = model.process.countedIn(context.jobName) as JobActivity;
    const { objectives, options } = activity;
    runs.push({
      ...runFacts(model, context, "running", traceId),
      p95Ms: p95Of(activity),
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
  const isIt = (context: ObservedJobData): boolean =>
    context.runId === runId && cutName(context.jobName) === cutName(jobName);
  for (const [context, traceId] of model.process.running.entries()) {
    if (!isIt(context)) continue;
    return { run: runFacts(model, context, "running", traceId), error: null, errorIsGone: false };
  }
  const activity = model.process.countedIn(jobName);
  const run = activity?.ring.runs().find(({ context }) => context.runId === runId);
  if (run !== undefined) return finishedRunView(model, run);
  // A failure may be kept for longer than its run.
  for (const { context, traceId, error } of model.process.failures.records()) {
    if (!isIt(context)) continue;
    return { run: runFacts(model, context, "failure", traceId), error, errorIsGone: false };
  }
  return { run: null, error: null, errorIsGone: false };
}

function finishedRunView(model: PageModel, { context, status, traceId }: FinishedRun): RunView {
  const error = model.process.failures.of(context)?.error ?? null;
  const run = runFacts(model, context, status, traceId);
  return { run, error, errorIsGone: status === "failure" && error === null };
}

/** A run that is running or kept. */
type Attempt = Pick<FinishedRun, "context" | "traceId"> & { readonly status: RunFacts["status"] };

/** Finds the kept and running attempts of a stored job in this process, oldest first for each name. Without a name, all names count. */
export function attemptsOf(
  { process }: PageModel,
  jobId: string,
  jobName: string | undefined,
): readonly Attempt[] {
  const counted = jobName === undefined ? [...process.jobs] : [process.countedIn(jobName)];
  const attempts: Attempt[] = counted.flatMap((activity) => activity?.ring.runs() ?? []);
  for (const [context, traceId] of process.running.entries()) {
    attempts.push({ context, traceId, status: "running" });
  }
  return attempts.filter(
    ({ context }) =>
      context.delivery?.jobId === jobId &&
      (jobName === undefined || cutName(context.jobName) === cutName(jobName)),
  );
}
