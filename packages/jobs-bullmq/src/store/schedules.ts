import { isDeepStrictEqual } from "node:util";
import {
  type NewJob,
  nextMoment,
  type ScheduleRule,
  type StoredSchedule,
  scheduleRuleFrom,
} from "@nidus/jobs-durable/backend";
import type { JobSchedulerTemplateOptions, Queue } from "bullmq";
import {
  jsonText,
  type OwnScheduler,
  readSchedulers,
  scheduledJobId,
  schedulerId,
} from "../bullmq-internals/index.ts";
import type { Queues } from "./queues.ts";
import { repeatOptionsOf } from "./repeat-strategy.ts";
import { dataTextOf, optionsOf, type RetentionSeconds, type StoredData } from "./stored-data.ts";

/** A schedule as it stands in the data of its jobs. */
interface ScheduleNote {
  readonly rule: ScheduleRule;
  readonly madeAtMs: number;
}

/** A job scheduler, with what its data say of the schedule. */
interface KnownScheduler extends OwnScheduler, ScheduleNote {
  readonly data: StoredData;
}

/** Stores schedules as BullMQ's job schedulers, whose moments `repeatStrategy` computes. */
export class Schedules {
  readonly #queues: Queues;
  readonly #retention: RetentionSeconds;

  constructor(queues: Queues, retention: RetentionSeconds) {
    this.#queues = queues;
    this.#retention = retention;
  }

  /**
   * Stores a schedule, unless the same one is stored: storing it again would move a late run into the future. If the rule is the same
   * and the job is not, a late run stays late, with the new job.
   */
  async schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    const queue = await this.#queues.of(job.name);
    await this.#queues.note([job.name]);
    const id = schedulerId(job.name, rule.key);
    const stored = (await this.#read(job.name)).find((each) => each.id === id);
    const options: JobSchedulerTemplateOptions = asStored(optionsOf(job, this.#retention));
    const isSameRule = stored !== undefined && isDeepStrictEqual(stored.rule, asStored(rule));
    const note: ScheduleNote = { rule, madeAtMs: isSameRule ? stored.madeAtMs : Date.now() };
    const data: StoredData = asStored({ ...JSON.parse(job.envelopeText), schedule: note });
    const isGoingOn = isSameRule && !isBroken(stored);
    if (isGoingOn) {
      const { opts } = (await queue.getJobScheduler(id))?.template ?? {};
      if (isDeepStrictEqual([stored.data, withoutMoment(opts)], [data, options])) return;
      if (stored.nextState === "waiting" && stored.nextMs <= Date.now())
        await this.#storeLate(queue, job, stored);
    }
    const afterMs = isSameRule && !isGoingOn ? stored.nextMs : 0;
    if (!(await this.#upsert(queue, id, { name: job.name, data, opts: options }, rule, afterMs))) {
      await queue.removeJobScheduler(id);
    }
  }

  /** Stores the late run of a schedule as a job of its own. Several processes may do so at once. */
  async #storeLate(queue: Queue<StoredData>, job: NewJob, { id, nextMs }: KnownScheduler): Promise<void> {
    const runAt = new Date(nextMs);
    const data = jsonText<StoredData>(dataTextOf({ envelopeText: job.envelopeText, runAt }, undefined));
    await queue.add(job.name, data, { ...optionsOf(job, this.#retention), jobId: `${id}.${nextMs}` });
  }

  /** Stores a job scheduler. Resolves to false if the rule has no moment left after now and after `afterMs`. */
  async #upsert(
    queue: Queue<StoredData>,
    id: string,
    template: { name: string; data: StoredData; opts: JobSchedulerTemplateOptions },
    rule: ScheduleRule,
    afterMs: number,
  ): Promise<boolean> {
    if (nextMoment(rule, Math.max(Date.now(), afterMs)) === undefined) return false;
    // BullMQ computes the next moment after this one, if it is later than now.
    const opts = { ...template.opts, prevMillis: afterMs } as JobSchedulerTemplateOptions;
    await queue.upsertJobScheduler(id, repeatOptionsOf(rule), { ...template, ...(afterMs > 0 && { opts }) });
    return true;
  }

  async unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    const queue = await this.#queues.of(jobName);
    const id = schedulerId(jobName, key);
    const stored = (await this.#read(jobName)).find((each) => each.id === id);
    const isRemoved = await queue.removeJobScheduler(id);
    if (stored === undefined) return isRemoved;
    // BullMQ leaves a job that is late, and waits for a free worker.
    if (stored.nextState === "waiting") await queue.remove(scheduledJobId(id, stored.nextMs));
    return isRemoved && !hasEnded(stored);
  }

  async schedules(): Promise<readonly StoredSchedule[]> {
    const names = await this.#queues.names();
    const found = await Promise.all(
      names.map(async (jobName) =>
        (await this.#read(jobName))
          .filter((each) => !hasEnded(each))
          .map(({ rule, madeAtMs, nextMs }) => ({
            jobName,
            rule,
            madeAt: new Date(madeAtMs),
            nextRunAt: new Date(nextMs),
          })),
      ),
    );
    return found.flat();
  }

  /** Stores the next run of each schedule whose next run is gone, or has ended without another one: none would follow. */
  async repair(jobNames: readonly string[]): Promise<void> {
    await Promise.all(
      jobNames.map(async (jobName) => {
        const broken = (await this.#read(jobName)).filter(isBroken);
        const queue = await this.#queues.of(jobName);
        for (const { id, rule, data, nextMs } of broken) {
          const { opts } = (await queue.getJobScheduler(id))?.template ?? {};
          const template = { name: jobName, data, opts: withoutMoment(opts) };
          if (!(await this.#upsert(queue, id, template, rule, nextMs))) await queue.removeJobScheduler(id);
        }
      }),
    );
  }

  async #read(jobName: string): Promise<readonly KnownScheduler[]> {
    const found = await readSchedulers(await this.#queues.client, this.#queues.keysOf(jobName), jobName);
    return found.map(knownFrom).filter((each) => each !== undefined);
  }
}

/** Leaves out what other programs have stored. */
function knownFrom(scheduler: OwnScheduler): KnownScheduler | undefined {
  try {
    const data = JSON.parse(scheduler.dataText) as StoredData & { schedule?: ScheduleNote };
    const rule = scheduleRuleFrom(data.schedule?.rule);
    const madeAtMs = data.schedule?.madeAtMs;
    const areMoments = [madeAtMs, scheduler.nextMs].every(
      (each) => !Number.isNaN(new Date(each as number).getTime()),
    );
    if (rule === undefined || typeof madeAtMs !== "number" || !areMoments) return undefined;
    return { ...scheduler, data, rule: asStored(rule), madeAtMs };
  } catch {
    return undefined;
  }
}

/** Tells whether no further run of a schedule would follow. */
function isBroken({ nextState }: KnownScheduler): boolean {
  return nextState === "gone" || nextState === "ended";
}

/** Tells whether the last run of a schedule has started: BullMQ keeps its scheduler. */
function hasEnded({ rule, nextMs, nextState }: KnownScheduler): boolean {
  return nextState !== "waiting" && nextMoment(rule, Math.max(nextMs, Date.now())) === undefined;
}

/** A value as it comes back from a store. */
function asStored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The options of a scheduler's jobs, without the moment that `#upsert` adds. */
function withoutMoment(options: object = {}): JobSchedulerTemplateOptions {
  const { prevMillis: _prevMillis, ...others } = options as { prevMillis?: unknown };
  return others;
}
