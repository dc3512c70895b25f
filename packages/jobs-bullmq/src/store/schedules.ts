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
  type CancelledRun,
  cancelledRunsOf,
  changeScheduled,
  forgetCancelledRuns,
  isMomentTaken,
  type OwnScheduler,
  readSchedulers,
  scheduledJobId,
  scheduledJobIds,
  schedulerId,
  skipScheduled,
} from "../bullmq-internals/index.ts";
import type { Queues } from "./queues.ts";
import { repeatOptionsOf } from "./repeat-strategy.ts";
import { optionsOf, type RetentionSeconds, type StoredData } from "./stored-data.ts";

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
   * and the job is not, the next run keeps its moment, with the new job.
   */
  async schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    const queue = await this.#queues.of(job.name);
    const id = schedulerId(job.name, rule.key);
    const stored = (await this.#read([job.name])).find((each) => each.id === id);
    const options: JobSchedulerTemplateOptions = asStored(optionsOf(job, this.#retention));
    const isSameRule = stored !== undefined && isDeepStrictEqual(stored.rule, asStored(rule));
    const note: ScheduleNote = { rule, madeAtMs: isSameRule ? stored.madeAtMs : Date.now() };
    const data: StoredData = asStored({ ...JSON.parse(job.envelopeText), schedule: note });
    const client = await this.#queues.client;
    if (isSameRule && !isBroken(stored)) {
      const { opts } = (await queue.getJobScheduler(id))?.template ?? {};
      if (isDeepStrictEqual([stored.data, withoutMoment(opts)], [data, options])) return;
      if (await changeScheduled(client, this.#queues.keysOf(job.name), stored, data, options)) return;
      // The next run has started meanwhile.
      if (stored.nextState === "waiting") return this.schedule(job, rule);
    }
    const template = { name: job.name, data, opts: options };
    const afterMs = isSameRule ? stored.nextMs : await this.#lastCancelled(job.name, id, rule);
    if (!(await this.#upsert(queue, id, template, rule, afterMs))) await queue.removeJobScheduler(id);
  }

  /**
   * Resolves to the last moment whose run was cancelled under this rule, which stays skipped, or to 0. Forgets the runs that were cancelled
   * under other rules, if their moments come again: the new runs have their ids.
   */
  async #lastCancelled(jobName: string, id: string, rule: ScheduleRule): Promise<number> {
    const client = await this.#queues.client;
    const cancellations = this.#queues.cancellationsOf(jobName);
    const nowMs = Date.now();
    const runs = (await cancelledRunsOf(client, cancellations, id)).filter(
      ({ dueMs }) => dueMs > nowMs && nextMoment(rule, dueMs - 1) === dueMs,
    );
    const isOwn = ({ dataText }: CancelledRun): boolean =>
      isDeepStrictEqual(notedFrom(dataText)?.rule, asStored(rule));
    const others = runs.filter((each) => !isOwn(each));
    if (others.length > 0) await forgetCancelledRuns(client, cancellations, others);
    return Math.max(0, ...runs.filter(isOwn).map(({ dueMs }) => dueMs));
  }

  /**
   * Stores a job scheduler. Resolves to false if the rule has no moment left after now and after another moment, apart from those whose runs
   * were started before.
   */
  async #upsert(
    queue: Queue<StoredData>,
    id: string,
    template: { name: string; data: StoredData; opts: JobSchedulerTemplateOptions },
    rule: ScheduleRule,
    afterMs: number,
  ): Promise<boolean> {
    const nextMs = nextMoment(rule, Math.max(Date.now(), afterMs));
    if (nextMs === undefined) return false;
    const client = await this.#queues.client;
    if (await isMomentTaken(client, this.#queues.keysOf(template.name), id, nextMs))
      return this.#upsert(queue, id, template, rule, nextMs);
    // BullMQ computes the next moment after this one, if it is later than now.
    const opts = { ...template.opts, prevMillis: afterMs } as JobSchedulerTemplateOptions;
    await queue.upsertJobScheduler(id, repeatOptionsOf(rule), { ...template, ...(afterMs > 0 && { opts }) });
    return true;
  }

  async unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    // Opening the queue of an unused name would store the name.
    if (!(await this.#queues.names()).includes(jobName)) return false;
    const queue = await this.#queues.of(jobName);
    const id = schedulerId(jobName, key);
    const stored = (await this.#read([jobName])).find((each) => each.id === id);
    const isRemoved = await queue.removeJobScheduler(id);
    if (stored === undefined) return isRemoved;
    // BullMQ leaves a job that is late, and waits for a free worker.
    if (stored.nextState === "waiting") await queue.remove(scheduledJobId(id, stored.nextMs));
    return isRemoved && !hasEnded(stored);
  }

  async schedules(jobName: string | undefined): Promise<readonly StoredSchedule[]> {
    return (await this.#read(jobName === undefined ? await this.#queues.names() : [jobName]))
      .filter((each) => !hasEnded(each))
      .map(({ jobName, rule, madeAtMs, startMs }) => ({
        jobName,
        rule,
        madeAt: new Date(madeAtMs),
        nextRunAt: new Date(startMs),
      }));
  }

  /** Stores the next run of each schedule whose next run is gone, or has ended without another one: none would follow. */
  async repair(jobNames: readonly string[]): Promise<void> {
    const broken = (await this.#read(jobNames)).filter(isBroken);
    await Promise.all(
      broken.map(async (each) => this.#storeNext(await this.#queues.of(each.jobName), each.jobName, each)),
    );
  }

  /** Skips those of these jobs that are the next runs of schedules, and have cancel requests. Stores the runs after them. */
  async skip(jobName: string, jobIds: readonly string[]): Promise<void> {
    if (!jobIds.some((id) => id.startsWith(scheduledJobIds(jobName)))) return;
    const client = await this.#queues.client;
    const keys = {
      queue: this.#queues.keysOf(jobName),
      requests: this.#queues.cancelRequestsOf(jobName),
      cancellations: this.#queues.cancellationsOf(jobName),
      retainedMs: this.#retention.succeededSeconds * 1000,
    };
    for (const each of await this.#read([jobName])) {
      const jobId = scheduledJobId(each.id, each.nextMs);
      if (each.nextState !== "waiting" || !jobIds.includes(jobId)) continue;
      const queue = await this.#queues.of(jobName);
      await skipScheduled(client, keys, jobId, async () => {
        await this.#storeNext(queue, jobName, each);
        // BullMQ leaves the last run of a schedule that has come due.
        if (each.startMs <= Date.now()) await queue.remove(jobId);
      });
    }
  }

  /** Stores the run after the next one of a scheduler, which BullMQ removes. If there is none, the schedule ends. */
  async #storeNext(
    queue: Queue<StoredData>,
    jobName: string,
    { id, rule, data, nextMs }: KnownScheduler,
  ): Promise<void> {
    const { opts } = (await queue.getJobScheduler(id))?.template ?? {};
    const template = { name: jobName, data, opts: withoutMoment(opts) };
    if (!(await this.#upsert(queue, id, template, rule, nextMs))) await queue.removeJobScheduler(id);
  }

  /** Reads the schedulers of these names, with one query however many there are. */
  async #read(jobNames: readonly string[]): Promise<readonly KnownScheduler[]> {
    const { client, namesKey } = this.#queues;
    const keysOf = (name: string): string => this.#queues.keysOf(name);
    return (await readSchedulers(await client, namesKey, jobNames, keysOf))
      .map(knownFrom)
      .filter((each) => each !== undefined);
  }
}

/** Leaves out what other programs have stored. */
function knownFrom(scheduler: OwnScheduler): KnownScheduler | undefined {
  const noted = notedFrom(scheduler.dataText);
  const areMoments = [noted?.madeAtMs, scheduler.nextMs, scheduler.startMs].every(
    (each) => !Number.isNaN(new Date(each as number).getTime()),
  );
  return noted !== undefined && areMoments ? { ...scheduler, ...noted } : undefined;
}

/** Reads the data of a schedule's jobs. */
function notedFrom(dataText: string): (ScheduleNote & { readonly data: StoredData }) | undefined {
  try {
    const data = JSON.parse(dataText) as StoredData & { schedule?: ScheduleNote };
    const rule = scheduleRuleFrom(data.schedule?.rule);
    const madeAtMs = data.schedule?.madeAtMs;
    return rule && typeof madeAtMs === "number" ? { data, rule: asStored(rule), madeAtMs } : undefined;
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
