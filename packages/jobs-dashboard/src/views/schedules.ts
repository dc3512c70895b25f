import type { SharedAnswer } from "../engines/shared-read.ts";
import type { WatchedSchedule } from "../engines/watched-engine.ts";
import type { ScheduleRow } from "../wire.ts";
import type { SchedulesView } from "../wire-stored.ts";
import { readingOf } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { timeOf, timeOfClock } from "./time.ts";

/** How many schedules are listed. */
const maxSchedules = 1_000;

/** The schedules of an engine, or undefined if it has none. */
interface EngineSchedules {
  readonly key: string;
  readonly answer: SharedAnswer<readonly WatchedSchedule[]> | undefined;
}

/** Lists the schedules of all engines that tell, by the next due time. */
export async function schedulesView(model: PageModel): Promise<SchedulesView> {
  const answers = await Promise.all(
    [...model.readers.values()].map(async ({ identity, schedules }) => ({
      key: identity.key,
      answer: await schedules?.get(),
    })),
  );
  return {
    schedules: rowsOf(model, answers),
    engines: answers.flatMap(({ key, answer }) =>
      answer === undefined ? [] : [{ name: key, ...readingOf(answer) }],
    ),
  };
}

/** Lists the schedules of one job, by the next due time. */
export async function schedulesOfJob(model: PageModel, jobName: string): Promise<readonly ScheduleRow[]> {
  const answers = await Promise.all(
    [...model.readers.values()].map(async (reader) => ({
      key: reader.identity.key,
      answer: await reader.schedulesOf(jobName),
    })),
  );
  return rowsOf(model, answers);
}

function rowsOf(model: PageModel, answers: readonly EngineSchedules[]): readonly ScheduleRow[] {
  return answers
    .flatMap(({ key, answer }) =>
      (answer?.value ?? []).map((schedule) => ({
        engine: key,
        jobName: schedule.jobName,
        key: schedule.key ?? null,
        cron: schedule.cron ?? null,
        everyMs: schedule.everyMs ?? null,
        // An interval has no use for it.
        timeZone: schedule.cron === undefined ? null : (schedule.timeZone ?? null),
        nextRunAt: timeOf(schedule.nextRunAt),
        lastScheduledAt: timeOf(schedule.lastScheduledAt),
        lastSuccessAt: timeOfClock(model.process.find(schedule.jobName)?.lastSuccessMs ?? Number.NaN),
      })),
    )
    .sort((a, b) => (a.nextRunAt ?? Infinity) - (b.nextRunAt ?? Infinity) || (a.jobName < b.jobName ? -1 : 1))
    .slice(0, maxSchedules);
}
