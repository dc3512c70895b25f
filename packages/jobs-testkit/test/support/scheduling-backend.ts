import type { EngineCapabilities } from "@nidus/jobs-durable";
import {
  type FoundSchedule,
  type JobConsumer,
  type NewJob,
  ScheduleChain,
  type ScheduleRecord,
  type ScheduleRule,
  type ScheduleStore,
  type StoredSchedule,
} from "@nidus/jobs-durable/backend";
import { ListBackend, type ListedJob, type ListLeasedJob, type ListStore } from "./list-backend.ts";

/** The records of all engines on one store. */
const recordsOf = new WeakMap<ListStore, Map<string, ScheduleRecord>>();

/** Keeps records beside the jobs of a list. */
class ListSchedules implements ScheduleStore {
  readonly #backend: ListBackend;
  readonly byPlace: Map<string, ScheduleRecord>;

  constructor(backend: ListBackend) {
    this.#backend = backend;
    this.byPlace = recordsOf.get(backend.store) ?? new Map();
    recordsOf.set(backend.store, this.byPlace);
  }

  async now(): Promise<number> {
    return Date.now();
  }

  async records(jobName: string | undefined): Promise<readonly FoundSchedule[]> {
    return [...this.byPlace.values()]
      .filter((record) => jobName === undefined || record.jobName === jobName)
      .map((record) => this.found(record));
  }

  async find(jobName: string, key: string | undefined): Promise<FoundSchedule | undefined> {
    const record = this.byPlace.get(placeOf(jobName, key));
    return record && this.found(record);
  }

  found(record: ScheduleRecord): FoundSchedule {
    const job = this.#backend.find(record.nextId);
    return { record, startAtMs: this.#isWaiting(record) ? job?.runAt.getTime() : undefined };
  }

  async findStarted(jobNames: readonly string[]): Promise<readonly ScheduleRecord[]> {
    const own = [...this.byPlace.values()].filter(({ jobName }) => jobNames.includes(jobName));
    return own.filter((record) => !this.#isWaiting(record));
  }

  #isWaiting({ nextId }: ScheduleRecord): boolean {
    const job = this.#backend.find(nextId);
    return job?.state === "pending" && job.attempt === 0;
  }

  async put(record: ScheduleRecord, replacedId: string | undefined): Promise<boolean> {
    const place = placeOf(record.jobName, record.rule.key);
    if (this.byPlace.get(place)?.nextId !== replacedId) return false;
    this.byPlace.set(place, record);
    return true;
  }

  async remove({ jobName, rule }: ScheduleRecord): Promise<boolean> {
    return this.byPlace.delete(placeOf(jobName, rule.key));
  }

  async insert(job: NewJob): Promise<void> {
    this.#backend.add(job);
  }

  async removeWaiting(jobName: string, jobId: string): Promise<void> {
    const listed = this.#backend.store.get(jobName) ?? [];
    const index = listed.findIndex(({ id, state }) => id === jobId && state === "pending");
    if (index >= 0) listed.splice(index, 1);
  }
}

function placeOf(jobName: string, key: string | undefined): string {
  return JSON.stringify([jobName, key]);
}

/** A backend with schedules. */
export class SchedulingBackend extends ListBackend {
  override readonly capabilities: EngineCapabilities = {
    ...new ListBackend(new Map()).capabilities,
    schedules: true,
    scheduleKeys: true,
    intervals: true,
  };
  readonly schedulesOf: ListSchedules = new ListSchedules(this);
  readonly chain: ScheduleChain = new ScheduleChain(this.schedulesOf);

  override async consumer(jobNames: readonly string[]): Promise<JobConsumer<ListLeasedJob>> {
    const consumer = await super.consumer(jobNames);
    return {
      ...consumer,
      fetch: async (limit, signal) => {
        const jobs = await consumer.fetch(limit, signal);
        await this.goOn(jobs);
        return jobs;
      },
    };
  }

  async goOn(jobs: readonly ListLeasedJob[]): Promise<void> {
    if (jobs.length > 0) await this.chain.goOn(jobs.map(({ name }) => name));
  }

  override async cancel(jobId: string): Promise<boolean> {
    const isCancelled = await super.cancel(jobId);
    await this.chain.goOn((await this.schedulesOf.records(undefined)).map(({ record }) => record.jobName));
    return isCancelled;
  }

  async schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    await this.chain.schedule(job, rule);
  }

  async unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    return this.chain.unschedule(jobName, key);
  }

  async schedules(jobName: string | undefined): Promise<readonly StoredSchedule[]> {
    return this.chain.schedules(jobName);
  }
}

/** Lists the schedules of all job names, whatever is asked. */
export class IgnoringScheduleNames extends SchedulingBackend {
  override schedules(): Promise<readonly StoredSchedule[]> {
    return super.schedules(undefined);
  }
}

/** Takes every schedule for one of UTC. */
export class IgnoringTimeZones extends SchedulingBackend {
  override schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    return super.schedule(job, { ...rule, timeZone: "UTC" });
  }
}

/** Enqueues as soon as something is scheduled. */
export class SchedulingAtOnce extends SchedulingBackend {
  override async schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    await super.schedule(job, rule);
    this.add({ ...job, id: crypto.randomUUID() });
  }
}

/** Has one schedule of a job, whatever its key, and says that it has many. */
export class IgnoringScheduleKeys extends SchedulingBackend {
  override schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    return super.schedule(job, { ...rule, key: undefined });
  }

  override unschedule(jobName: string): Promise<boolean> {
    return super.unschedule(jobName, undefined);
  }
}

/** Forgets what was scheduled but for its name. */
export class LosingScheduledPayloads extends SchedulingBackend {
  override schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    return super.schedule({ ...job, envelopeText: "{}" }, rule);
  }
}

/** Stores a schedule anew each time, and so moves a late run into the future. */
export class ForgettingLateRuns extends SchedulingBackend {
  override async schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    await super.unschedule(job.name, rule.key);
    await super.schedule(job, rule);
  }
}

/** Keeps what it has, also if another rule or another job comes. */
export class KeepingSchedules extends SchedulingBackend {
  override async schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    const found = await this.schedulesOf.find(job.name, rule.key);
    if (found === undefined) await super.schedule(job, rule);
  }
}

/** Runs a schedule once. */
export class RunningSchedulesOnce extends SchedulingBackend {
  override async goOn(): Promise<void> {}
}

/** Runs what was missed one by one. */
export class CatchingUp extends SchedulingBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    const { runAt } = listed;
    const { name } = listed;
    for (let ms = runAt.getTime() + 1_000; ms < Date.now(); ms += 1_000) {
      if (listed.attempt > 0 || this.schedulesOf.byPlace.size === 0) break;
      const { envelope } = listed;
      this.add({
        ...{ id: crypto.randomUUID(), name, envelopeText: JSON.stringify(envelope), runAt: new Date(ms) },
        ...{ maxAttempts: 5, hasIdempotencyKey: false, priority: 0 },
        ...{ uniqueKey: undefined, uniqueForMs: undefined, retainMs: undefined },
      });
    }
    return super.lease(listed);
  }
}

/** Leaves the next run behind when a schedule ends. */
export class LeavingNextRuns extends SchedulingBackend {
  override async unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    const found = await this.schedulesOf.find(jobName, key);
    return found !== undefined && this.schedulesOf.remove(found.record);
  }
}

/** Stores the next run under an id of its own each time, so that two workers store two. */
export class DoublingRuns extends SchedulingBackend {
  override add(job: NewJob): boolean {
    if (job.envelopeText.includes("isScheduled")) super.add({ ...job, id: crypto.randomUUID() });
    return super.add(job);
  }
}

/** Knows no start and no end. */
export class IgnoringBounds extends SchedulingBackend {
  override schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    return super.schedule(job, { ...rule, startAtMs: undefined, endAtMs: undefined });
  }
}

/** Lists no schedules. */
export class ListingNoSchedules extends SchedulingBackend {
  override async schedules(): Promise<readonly StoredSchedule[]> {
    return [];
  }
}

/** Says of every schedule that it was made long ago, so that moments count that came before. */
export class BackdatingSchedules extends SchedulingBackend {
  override async schedules(): Promise<readonly StoredSchedule[]> {
    return (await super.schedules(undefined)).map((each) => ({ ...each, madeAt: new Date(0) }));
  }
}

/** Ends a schedule with a run that was cancelled. */
export class EndingWithCancelledRuns extends SchedulingBackend {
  override cancel(jobId: string): Promise<boolean> {
    return ListBackend.prototype.cancel.call(this, jobId);
  }
}

/** Goes on after runs that are cancelled one by one, and not after those that are cancelled together. */
export class EndingWithManyCancelledRuns extends SchedulingBackend {
  override async cancelAll(_jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    for (const id of jobIds) await ListBackend.prototype.cancel.call(this, id);
    return jobIds;
  }
}

/** Says of every schedule that its next run starts when it is due. */
export class TellingDueMoments extends SchedulingBackend {
  override async schedules(): Promise<readonly StoredSchedule[]> {
    return [...this.schedulesOf.byPlace.values()].map(({ jobName, rule, madeAtMs, nextRunAtMs }) => ({
      ...{ jobName, rule },
      madeAt: new Date(madeAtMs),
      nextRunAt: new Date(nextRunAtMs),
    }));
  }
}

/** Runs a cancelled run at its moment all the same. */
export class KeepingCancelledRuns extends SchedulingBackend {
  override async cancel(jobId: string): Promise<boolean> {
    return this.find(jobId) !== undefined;
  }
}
