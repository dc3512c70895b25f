import type { DeadLetter, EngineCapabilities, EnqueuedJob, JobCounts, StoredJob } from "@nidus/jobs-durable";
import type {
  AwaitedJob,
  JobBackend,
  JobConsumer,
  JobEnd,
  NameBacklog,
  NewJob,
  ScheduleRule,
  StoredJobsPage,
  StoredJobsQuery,
  StoredSchedule,
} from "@nidus/jobs-durable/backend";
import { type CountsOfName, MarkerWatch, readCounts, readDeadLetters } from "./bullmq-internals/index.ts";
import { RedisClock } from "./connection/redis-clock.ts";
import { isUnreachable } from "./connection/unreachable.ts";
import { type BullmqEnqueueOptions, requireBullmqJobOptions } from "./store/bullmq-job-options.ts";
import { Cleaner } from "./store/cleaner.ts";
import { JobActions } from "./store/job-actions.ts";
import { JobEnds } from "./store/job-ends.ts";
import { JobInserter } from "./store/job-inserter.ts";
import { queueName } from "./store/queue-name.ts";
import type { Queues } from "./store/queues.ts";
import { repeatStrategyBy } from "./store/repeat-strategy.ts";
import { Schedules } from "./store/schedules.ts";
import { StoredJobs } from "./store/stored-jobs.ts";
import { BullmqConsumer } from "./worker/bullmq-consumer.ts";
import type { BullmqLeasedJob } from "./worker/leased-job.ts";
import type { ConsumerSettings } from "./worker/outcome-recorder.ts";
import { QueueConsumer } from "./worker/queue-consumer.ts";

/** Settings of {@link BullmqBackend}. */
export interface BullmqSettings extends ConsumerSettings {
  readonly queue: string;
  readonly address: string;
  readonly hasUpkeep: boolean;
}

/** Stores jobs in BullMQ's queues, one queue per job name. */
export class BullmqBackend implements JobBackend<BullmqLeasedJob, BullmqEnqueueOptions> {
  readonly name = "bullmq";
  readonly address: string;
  readonly leaseMs: number;
  /** BullMQ blocks for as long at most. */
  readonly longestFetchMs: number = 10_000;
  readonly capabilities: EngineCapabilities = {
    persistence: true,
    schedules: true,
    scheduleKeys: true,
    intervals: true,
    transactions: false,
    priorities: true,
    uniqueKeys: true,
    nullCharacters: true,
    listing: true,
    results: true,
    progress: true,
    snoozing: true,
  };
  readonly enqueueOptions: NonNullable<JobBackend["enqueueOptions"]> = { bullmq: requireBullmqJobOptions };
  readonly #queues: Queues;
  readonly #settings: BullmqSettings;
  readonly #cleaner: Cleaner;
  readonly #inserter: JobInserter;
  readonly #storedJobs: StoredJobs;
  readonly #actions: JobActions;
  readonly #ends: JobEnds;
  readonly #schedules: Schedules;
  /** Each ends the opening of a consumer. */
  readonly #cutOffs = new Set<() => void>();
  #isClosed = false;

  constructor(queues: Queues, settings: BullmqSettings) {
    this.#queues = queues;
    this.#settings = settings;
    this.address = settings.address;
    this.leaseMs = settings.leaseMs;
    this.#storedJobs = new StoredJobs(queues);
    this.#actions = new JobActions(queues, settings.retention);
    this.#ends = new JobEnds(queues, settings.onError);
    this.#inserter = new JobInserter(queues, settings.retention);
    this.#schedules = new Schedules(queues, settings.retention);
    this.#cleaner = new Cleaner(queues, settings.retention, settings.onError);
  }

  /** The engine calls this as work of its own, which tracers leave out: so is the cleaning, then. */
  async start(): Promise<void> {
    if (this.#settings.hasUpkeep) this.#cleaner.start();
  }

  queueOf(jobName: string): string {
    return queueName(this.#settings.queue, jobName);
  }

  isUnreachable(error: unknown): boolean {
    return isUnreachable(error);
  }

  insert(jobs: readonly NewJob[], { bullmq }: BullmqEnqueueOptions): Promise<readonly EnqueuedJob[]> {
    return this.#inserter.insert(jobs, bullmq);
  }

  holderOf(jobName: string, uniqueKey: string): Promise<string | undefined> {
    return this.#inserter.holderOf(jobName, uniqueKey);
  }

  /** Opens the queues of all names at once, since the connection may be slow. */
  async consumer(jobNames: readonly string[]): Promise<JobConsumer<BullmqLeasedJob>> {
    const { leaseMs, onError } = this.#settings;
    const client = await this.#queues.client;
    const clock = new RedisClock(onError);
    await this.#unlessClosed(clock.measure(client));
    const consumers = new Map<string, QueueConsumer>();
    const watch = new MarkerWatch(client, this.#queues.connectionName(jobNames), onError);
    const repeatStrategy = repeatStrategyBy(clock);
    const options = { client, clock, prefix: this.#queues.prefix, leaseMs, repeatStrategy };
    const opening = jobNames.map(async (name) => {
      const consumer = new QueueConsumer(this.#queues, name, this.queueOf(name), options, onError);
      consumer.on("error", onError);
      consumers.set(name, consumer);
      await Promise.all([this.#queues.of(name), consumer.waitUntilReady()]);
      await consumer.startStalledCheckTimer();
    });
    opening.push(watch.opened());
    try {
      await this.#unlessClosed(Promise.all(opening));
      await this.#unlessClosed(this.#schedules.repair(jobNames).catch(onError));
    } catch (error) {
      await Promise.all([watch, ...consumers.values()].map((each) => each.close(true)));
      throw error;
    }
    return new BullmqConsumer(this.#queues, consumers, watch, clock, this.#settings);
  }

  /** Rejects if the backend closes meanwhile: connections that are closed before they are ready settle nothing any more. */
  async #unlessClosed(opening: Promise<unknown>): Promise<void> {
    let cutOff = (): void => {};
    const closed = new Promise<never>((_, reject) => {
      cutOff = () => reject(new Error("the engine was closed"));
    });
    this.#cutOffs.add(cutOff);
    if (this.#isClosed) cutOff();
    try {
      await Promise.race([opening, closed]);
    } finally {
      this.#cutOffs.delete(cutOff);
    }
  }

  async cancel(jobId: string): Promise<boolean> {
    const name = await this.#actions.cancel(jobId);
    if (name !== undefined) await this.#skip(name, [jobId]);
    return name !== undefined;
  }

  /** Lets the schedules of cancelled runs go on. If that fails, a cancelled run stays until its moment, and then does not run. */
  async #skip(jobName: string, jobIds: readonly string[]): Promise<void> {
    await this.#schedules.skip(jobName, jobIds).catch(this.#settings.onError);
  }

  async backlog(): Promise<readonly NameBacklog[]> {
    return [...(await this.#counts())].map(
      ([jobName, { waiting, oldestWaitingAt, deadLettered, oldestDeadLetterAt }]) => ({
        jobName,
        waiting,
        oldestWaitingAt,
        deadLettered,
        oldestDeadLetterAt,
      }),
    );
  }

  async ping(): Promise<void> {
    await (await this.#queues.client).hmget(this.#queues.namesKey, "ping");
  }

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    const counts = [...(await this.#counts())];
    return new Map(counts.map(([name, { oldestDeadLetterAt: _, ...each }]) => [name, each]));
  }

  async #counts(): Promise<ReadonlyMap<string, CountsOfName>> {
    const { client, namesKey, base, ownKeys } = this.#queues;
    return readCounts(await client, namesKey, base, ownKeys, this.#settings.onError);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const client = await this.#queues.client;
    const names = await this.#queues.names();
    return readDeadLetters(client, this.#queues.namesKey, names, (name) => this.#queues.keysOf(name), limit);
  }

  async job(
    jobId: string,
    { withPayload }: { readonly withPayload: boolean },
  ): Promise<StoredJob | undefined> {
    return this.#storedJobs.job(jobId, withPayload);
  }

  async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    return this.#storedJobs.page(query);
  }

  ends(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]> {
    return this.#ends.read(jobs);
  }

  watchEnds(jobName: string, onEnd: (jobId: string) => void): Promise<() => Promise<void>> {
    return this.#ends.watch(this.queueOf(jobName), onEnd);
  }

  async cancelAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const cancelled = await this.#actions.cancelAll(jobName, jobIds);
    await this.#skip(jobName, cancelled);
    return cancelled;
  }

  redriveAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    return this.#actions.redriveAll(jobName, jobIds);
  }

  reschedule(jobId: string, runAt: Date): Promise<boolean> {
    return this.#actions.reschedule(jobId, runAt);
  }

  redrive(jobId: string): Promise<boolean> {
    return this.#actions.redrive(jobId);
  }

  schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    return this.#schedules.schedule(job, rule);
  }

  unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    return this.#schedules.unschedule(jobName, key);
  }

  schedules(jobName: string | undefined): Promise<readonly StoredSchedule[]> {
    return this.#schedules.schedules(jobName);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const cutOff of this.#cutOffs) cutOff();
    this.#cleaner.stop();
    return this.#queues.close();
  }
}
