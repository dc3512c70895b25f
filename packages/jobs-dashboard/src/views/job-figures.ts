import { monotonicMsOf } from "@nidus/jobs-observe/adapter";
import type { WatchedCounts } from "../engines/watched-engine.ts";
import type { JobActivity } from "../process/job-activity.ts";
import type { ProcessActivity } from "../process/process-activity.ts";
import type { ProcessFigures, StoredFigures } from "../wire.ts";
import { percentile, rounded, sum, timeOf, timeOfClock } from "./time.ts";

/** How many runs of each job run now, and since when the oldest of them. */
export type RunningByJob = ReadonlyMap<JobActivity, { count: number; oldestAt: number | null }>;

/** Counts the running runs by where they are counted once they have finished, for all rows at once. */
export function runningByJob(process: ProcessActivity): RunningByJob {
  const byJob = new Map<JobActivity, { count: number; oldestAt: number | null }>();
  for (const [context] of process.running.entries()) {
    const activity = process.countedIn(context.jobName) as JobActivity;
    const known = byJob.get(activity);
    if (known === undefined) byJob.set(activity, { count: 1, oldestAt: timeOfClock(monotonicMsOf(context)) });
    else known.count++;
  }
  return byJob;
}

/** Returns the durations of the kept runs, shortest first. */
export function durationsOf(activity: JobActivity): readonly number[] {
  return activity.ring.durations().sort((a, b) => a - b);
}

/** Returns the runs of a job in this process. */
export function processFigures(activity: JobActivity, running: RunningByJob): ProcessFigures {
  const { finished, failed } = activity.minutes();
  const durations = durationsOf(activity);
  const now = running.get(activity);
  const [p50, p95] = [percentile(durations, 0.5), percentile(durations, 0.95)];
  return {
    perMinute: activity.perMinute(),
    finishedInHour: sum(finished),
    failedInHour: sum(failed),
    p50Ms: p50 === null ? null : rounded(p50),
    p95Ms: p95 === null ? null : rounded(p95),
    running: now?.count ?? 0,
    oldestRunningAt: now?.oldestAt ?? null,
    lastSuccessAt: timeOfClock(activity.lastSuccessMs),
    retries: activity.retries,
    deadLettered: activity.deadLettered,
    lastError: activity.lastError ?? null,
    finished,
    failed,
  };
}

/** Adds the counts of a job in several stores. */
export function storedFigures(counts: readonly WatchedCounts[]): StoredFigures | null {
  if (counts.length === 0) return null;
  const oldest = counts.map(({ oldestWaitingAt }) => timeOf(oldestWaitingAt)).filter((time) => time !== null);
  return {
    scheduled: sum(counts.map(({ scheduled }) => scheduled)),
    waiting: sum(counts.map(({ waiting }) => waiting)),
    running: sum(counts.map(({ running }) => running)),
    deadLetters: sum(counts.map(({ deadLettered }) => deadLettered)),
    oldestWaitingAt: oldest.length === 0 ? null : Math.min(...oldest),
  };
}
