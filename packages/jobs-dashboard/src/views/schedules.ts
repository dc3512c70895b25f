import type { SchedulesView } from "../wire-stored.ts";
import { readingOf } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { timeOf, timeOfClock } from "./time.ts";

/** How many schedules are listed. */
const maxSchedules = 1_000;

/** Lists the schedules of all engines that tell, by the next due time. */
export async function schedulesView(model: PageModel): Promise<SchedulesView> {
  const readers = [...model.readers.values()];
  const answers = await Promise.all(
    readers.flatMap(({ identity, schedules }) =>
      schedules === undefined ? [] : [schedules.get().then((answer) => ({ key: identity.key, answer }))],
    ),
  );
  const rows = answers.flatMap(({ key, answer }) =>
    (answer.value ?? []).map((schedule) => ({
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
  );
  return {
    schedules: rows
      .sort(
        (a, b) => (a.nextRunAt ?? Infinity) - (b.nextRunAt ?? Infinity) || (a.jobName < b.jobName ? -1 : 1),
      )
      .slice(0, maxSchedules),
    engines: answers.map(({ key, answer }) => ({ name: key, ...readingOf(answer) })),
  };
}
