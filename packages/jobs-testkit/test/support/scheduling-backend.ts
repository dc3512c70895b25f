import type { EngineCapabilities } from "@nidus/jobs-durable";
import type { NewJob } from "@nidus/jobs-durable/backend";
import { ListBackend } from "./list-backend.ts";

interface Schedule {
  readonly job: NewJob;
  readonly cron: string;
  readonly timeZone: string;
}

/** Its clock is ahead by what the contract waits for, so that schedules need not be waited for. */
const aheadMs = 75_000;

const highest = [59, 23, 31, 12, 7];

/** A backend with schedules, of which a field of a cron expression is a number or `*`. */
export class SchedulingBackend extends ListBackend {
  override readonly capabilities: EngineCapabilities = {
    persistence: true,
    schedules: true,
    scheduleKeys: true,
    transactions: false,
    priorities: false,
    uniqueKeys: false,
    nullCharacters: false,
    listing: true,
    results: true,
    snoozing: true,
  };
  readonly #schedules = new Map<string, Schedule>();

  keyOf(job: NewJob, _cron: string, key = ""): string {
    return JSON.stringify([job.name, key]);
  }

  isDue({ cron, timeZone }: Schedule): boolean {
    // A second back: the minute may have changed since the test looked at its own clock.
    return [aheadMs, aheadMs - 1_000].some((ms) => matches(cron, timeZone, Date.now() + ms));
  }

  async schedule(job: NewJob, cron: string, timeZone: string, key: string | undefined): Promise<void> {
    const fields = cron.split(" ");
    if (!fields.every((field, index) => field === "*" || Number(field) <= (highest[index] ?? -1))) {
      throw new TypeError(`expected \`cron\` to be a cron expression, got "${cron}"`);
    }
    const schedule = { job, cron, timeZone };
    this.#schedules.set(this.keyOf(job, cron, key), schedule);
    if (this.isDue(schedule)) this.add(job);
  }

  async unschedule(jobName: string, key = ""): Promise<boolean> {
    return this.#schedules.delete(JSON.stringify([jobName, key]));
  }
}

function matches(cron: string, timeZone: string, atMs: number): boolean {
  const format = new Intl.DateTimeFormat("en", {
    timeZone,
    minute: "numeric",
    hour: "numeric",
    day: "numeric",
    month: "numeric",
    hourCycle: "h23",
  });
  const now = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const times = [now.get("minute"), now.get("hour"), now.get("day"), now.get("month")];
  return times.every((time, index) => {
    const field = cron.split(" ")[index];
    return field === "*" || Number(field) === time;
  });
}

/** Takes every schedule for one of UTC. */
export class IgnoringTimeZones extends SchedulingBackend {
  override schedule(job: NewJob, cron: string, _timeZone: string, key: string | undefined): Promise<void> {
    return super.schedule(job, cron, "UTC", key);
  }
}

/** Enqueues as soon as something is scheduled. */
export class SchedulingAtOnce extends SchedulingBackend {
  override isDue(): boolean {
    return true;
  }
}

/** Has one schedule of a job, whatever its key, and says that it has many. */
export class IgnoringScheduleKeys extends SchedulingBackend {
  override keyOf(job: NewJob, cron: string): string {
    return super.keyOf(job, cron);
  }

  override unschedule(jobName: string): Promise<boolean> {
    return super.unschedule(jobName);
  }
}

/** Forgets what was scheduled but for its name. */
export class LosingScheduledPayloads extends SchedulingBackend {
  override schedule(job: NewJob, ...rest: [string, string, string | undefined]): Promise<void> {
    return super.schedule({ ...job, envelopeText: "{}" }, ...rest);
  }
}

/** Takes anything for a cron expression. */
export class TakingAnyCron extends SchedulingBackend {
  override async schedule(job: NewJob, cron: string, ...rest: [string, string | undefined]): Promise<void> {
    await super.schedule(job, cron, ...rest).catch(() => {});
  }
}
