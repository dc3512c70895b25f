import type { JobActivity } from "../process/job-activity.ts";
import type { FinishedRun } from "../process/run-ring.ts";
import type { JobLimit, JobView, StripRun } from "../wire.ts";
import { runningByJob } from "./job-figures.ts";
import { overviewJob, readStats } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { schedulesOfJob } from "./schedules.ts";
import { rounded, timeOf } from "./time.ts";

/** Describes one job: its figures, its latest runs, its schedules. The answer has the name under which its runs are counted. */
export async function jobView(model: PageModel, jobName: string): Promise<JobView> {
  const activity = model.process.countedIn(jobName);
  const [stats, schedules] = await Promise.all([readStats(model), schedulesOfJob(model, jobName)]);
  const job = overviewJob(jobName, activity, stats, runningByJob(model.process));
  return {
    job: job.process === null && job.stored === null ? null : { ...job, name: activity?.name ?? jobName },
    runs: activity?.ring.runs().map(stripRun) ?? [],
    limits: activity === undefined ? [] : limitsOf(activity),
    schedules,
    engines: stats
      .filter(({ answer }) => Object.hasOwn(answer.value?.byName ?? {}, jobName))
      .map(({ reader }) => reader.identity.key),
  };
}

/** Lists the objectives and options of a job that are known. */
function limitsOf({ objectives = {}, options = {} }: JobActivity): JobLimit[] {
  const { maxAttempts, timeoutMs, priority, backoff = {} } = options;
  const limits: [label: string, ms: number | undefined, number?: number | undefined][] = [
    ["A success at least every", objectives.succeedEveryMs],
    ["Starts within", objectives.startWithinMs],
    ["Finishes within", objectives.finishWithinMs],
    ["Cut off after", timeoutMs],
    ["Attempts at most", undefined, maxAttempts],
    ["Wait after a failure", backoff.fixedMs ?? backoff.baseMs],
    ["Doubled up to", backoff.maxMs],
    ["Priority", undefined, priority],
  ];
  return limits
    .map(([label, ms = null, number = null]) => ({ label, ms, number }))
    .filter(({ ms, number }) => ms !== null || number !== null);
}

function stripRun({ context, status }: FinishedRun): StripRun {
  const { runId, startedAtMs, durationMs = 0, delivery } = context;
  const runAt = timeOf(delivery?.runAt);
  return {
    runId,
    status,
    startedAt: Math.round(startedAtMs),
    durationMs: rounded(durationMs),
    // The clocks of two machines differ: a run that started before its time has not waited.
    waitMs: runAt === null ? null : Math.max(0, rounded(startedAtMs - runAt)),
  };
}
