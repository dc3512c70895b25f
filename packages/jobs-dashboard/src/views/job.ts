import type { FinishedRun } from "../process/run-ring.ts";
import type { JobView, StripRun } from "../wire.ts";
import { runningByName } from "./job-figures.ts";
import { overviewJob, readStats } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { schedulesView } from "./schedules.ts";
import { rounded, timeOf } from "./time.ts";

/** Describes one job: its figures, its latest runs, its schedules. */
export async function jobView(model: PageModel, jobName: string): Promise<JobView> {
  const activity = model.process.find(jobName);
  const [stats, { schedules }] = await Promise.all([readStats(model), schedulesView(model)]);
  const job = overviewJob(jobName, activity, stats, runningByName(model.process));
  const { succeedEveryMs = null, startWithinMs = null, finishWithinMs = null } = activity?.objectives ?? {};
  const hasObjectives = succeedEveryMs !== null || startWithinMs !== null || finishWithinMs !== null;
  return {
    job: job.process === null && job.stored === null ? null : job,
    runs: activity?.ring.runs().map(stripRun) ?? [],
    objectives: hasObjectives ? { succeedEveryMs, startWithinMs, finishWithinMs } : null,
    schedules: schedules.filter((schedule) => schedule.jobName === jobName),
    engines: stats
      .filter(({ answer }) => Object.hasOwn(answer.value?.byName ?? {}, jobName))
      .map(({ reader }) => reader.identity.key),
  };
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
