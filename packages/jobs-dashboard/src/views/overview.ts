import type { EngineReader } from "../engines/engine-reader.ts";
import type { SharedAnswer } from "../engines/shared-read.ts";
import type { WatchedCounts, WatchedEngine } from "../engines/watched-engine.ts";
import type { JobActivity } from "../process/job-activity.ts";
import type { OverviewJob, OverviewView, Reading } from "../wire.ts";
import { processFigures, type RunningByJob, runningByJob, storedFigures } from "./job-figures.ts";
import { stateOf, states } from "./job-state.ts";
import type { PageModel } from "./page-model.ts";

/** The counts of one engine, as the page has last read them. */
export interface EngineStats {
  readonly reader: EngineReader;
  readonly answer: SharedAnswer<Awaited<ReturnType<WatchedEngine["stats"]>>>;
}

/** How many rows an overview has at most. A store may hold names without end. */
const maxRows = 1_000;

/** Reads the counts of all engines at once. */
export function readStats(model: PageModel): Promise<readonly EngineStats[]> {
  return Promise.all(
    [...model.readers.values()].map(async (reader) => ({ reader, answer: await reader.stats.get() })),
  );
}

/** Makes the list of jobs, worst first. */
export async function overviewView(model: PageModel): Promise<OverviewView> {
  const stats = await readStats(model);
  const names = new Set([...model.process.jobs].map(({ name }) => name));
  for (const { answer } of stats) for (const name of Object.keys(answer.value?.byName ?? {})) names.add(name);
  const running = runningByJob(model.process);
  const jobs = [...names].map((name) => overviewJob(name, model.process.find(name), stats, running));
  return {
    jobs: jobs.sort(worstFirst).slice(0, maxRows),
    engines: stats.map(({ reader, answer }) => ({ name: reader.identity.key, ...readingOf(answer) })),
    namesBeyondLimit: model.process.namesBeyondLimit,
    failuresDropped: model.process.failures.dropped,
  };
}

/** Makes the row of one job. */
export function overviewJob(
  name: string,
  activity: JobActivity | undefined,
  stats: readonly EngineStats[],
  running: RunningByJob,
): OverviewJob {
  const process = activity === undefined ? null : processFigures(activity, running);
  const stored = storedFigures(countsOf(name, stats));
  return { name, ...stateOf({ activity, process, stored, now: Date.now() }), process, stored };
}

function countsOf(name: string, stats: readonly EngineStats[]): WatchedCounts[] {
  return stats.flatMap(({ answer }) => {
    const byName = answer.value?.byName;
    return byName !== undefined && Object.hasOwn(byName, name) ? [byName[name] as WatchedCounts] : [];
  });
}

/** Leaves out the value of an answer, and times that would make every snapshot a new one. */
export function readingOf({ readAt, error }: SharedAnswer<unknown>): Reading {
  return { isRead: readAt !== null, error, readAt: error === null ? null : readAt };
}

function worstFirst(a: OverviewJob, b: OverviewJob): number {
  return (
    states.indexOf(a.state) - states.indexOf(b.state) ||
    (b.process?.failedInHour ?? 0) - (a.process?.failedInHour ?? 0) ||
    (b.stored?.deadLetters ?? 0) - (a.stored?.deadLetters ?? 0) ||
    (a.name < b.name ? -1 : 1)
  );
}
