import { requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend } from "../backend/job-backend.ts";
import type { StoredSchedule } from "../backend/stored-schedule.ts";
import type { AnyDurableJob, JobWithPayload } from "../job/durable-job.ts";
import { latestMoment } from "../schedule/schedule-rule.ts";
import type { Enqueuer } from "./enqueuer.ts";
import type {
  JobSchedule,
  ScheduleInterval,
  ScheduleOptions,
  SchedulesQuery,
  UnscheduleOptions,
} from "./job-schedule.ts";
import { requireScheduleRule, requireSchedules } from "./schedule-validation.ts";
import { jobNameOf, requireDurableJob, requireStorableText } from "./validation.ts";

/** The part of a BoundedBackend that schedules use. */
interface Store {
  ask<T>(question: (backend: Pick<JobBackend, "schedule">) => Promise<T>): Promise<T>;
  unschedule(jobName: string, key: string | undefined): Promise<boolean>;
  schedules(jobName: string | undefined): Promise<readonly StoredSchedule[]>;
}

/** The part of an Enqueuer that schedules use. */
type NewJobs = Pick<Enqueuer<EnqueueOptions>, "toSchedule">;

/** Schedules jobs, ends schedules and lists them. */
export class JobSchedules {
  readonly #engine: Pick<JobBackend, "name" | "capabilities">;
  readonly #store: Store;
  readonly #newJobs: NewJobs;

  constructor(engine: Pick<JobBackend, "name" | "capabilities">, store: Store, newJobs: NewJobs) {
    this.#engine = engine;
    this.#store = store;
    this.#newJobs = newJobs;
  }

  async schedule<Input>(
    job: JobWithPayload<Input>,
    when: string | ScheduleInterval,
    payload: Input,
    options: ScheduleOptions = {},
  ): Promise<void> {
    requireDurableJob(job);
    const rule = requireScheduleRule(this.#engine, when, options);
    const scheduled = await this.#newJobs.toSchedule(job, payload);
    await this.#store.ask(async (backend) => backend.schedule?.(scheduled, rule));
  }

  async unschedule(job: AnyDurableJob | string, options: UnscheduleOptions = {}): Promise<boolean> {
    const jobName = jobNameOf(job);
    requireKnownKeys("the options of `unschedule`", options, ["key"]);
    const { key } = options;
    requireSchedules(this.#engine, key);
    return this.#store.unschedule(jobName, key);
  }

  /** By job name and key. */
  async schedules(query: SchedulesQuery = {}): Promise<readonly JobSchedule[]> {
    requireKnownKeys("the query of `schedules`", query, ["jobName"]);
    const { jobName } = query;
    if (jobName !== undefined) requireStorableText("`jobName`", jobName);
    requireSchedules(this.#engine, undefined);
    const nowMs = Date.now();
    return (await this.#store.schedules(jobName)).map((each) => describe(each, nowMs)).sort(byNameAndKey);
  }
}

function describe({ jobName, rule, madeAt, nextRunAt }: StoredSchedule, nowMs: number): JobSchedule {
  const { key, cron, everyMs, timeZone, startAtMs, endAtMs } = rule;
  return {
    jobName,
    key,
    cron,
    everyMs,
    timeZone,
    startAt: dateOf(startAtMs),
    endAt: dateOf(endAtMs),
    nextRunAt,
    lastScheduledAt: dateOf(latestMoment(rule, madeAt.getTime(), nowMs)),
  };
}

function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}

function byNameAndKey(a: JobSchedule, b: JobSchedule): number {
  if (a.jobName !== b.jobName) return a.jobName < b.jobName ? -1 : 1;
  return (a.key ?? "") < (b.key ?? "") ? -1 : 1;
}
