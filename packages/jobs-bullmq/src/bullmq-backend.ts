import type { DeadLetter, EngineCapabilities, JobCounts } from "@nidus/jobs-durable";
import type { JobBackend, JobConsumer, NewJob } from "@nidus/jobs-durable/backend";
import type { JobBacklog } from "@nidus/jobs-observe";
import { throwReason } from "./atomic.ts";
import { BullmqConsumer } from "./bullmq-consumer.ts";
import { cancelJob } from "./cancelling.ts";
import { Cleaning } from "./cleaning.ts";
import { readCounts } from "./counts.ts";
import { readDeadLetters } from "./dead-letters.ts";
import { namesWithJob, redriveJob } from "./jobs-by-id.ts";
import type { BullmqLeasedJob } from "./leased-job.ts";
import { isOutOfReach } from "./out-of-reach.ts";
import { QueueConsumer } from "./queue-consumer.ts";
import { queueName } from "./queue-name.ts";
import type { Queues } from "./queues.ts";
import { RedisClock } from "./redis-clock.ts";
import { schedulerId, storeSchedule } from "./schedules.ts";
import { dataOf, optionsOf, type Retention } from "./stored-data.ts";

/** What the backend is told. */
export interface BullmqSettings {
  readonly queue: string;
  readonly address: string;
  readonly leaseMs: number;
  readonly retention: Retention;
  readonly onError: (error: unknown) => void;
}

/** Jobs in BullMQ's queues, one per job name. */
export class BullmqBackend implements JobBackend<BullmqLeasedJob> {
  readonly name = "bullmq";
  readonly address: string;
  readonly leaseMs: number;
  readonly capabilities: EngineCapabilities = {
    persistence: true,
    schedules: true,
    scheduleKeys: true,
    transactions: false,
    nullCharacters: true,
  };
  readonly #queues: Queues;
  readonly #settings: BullmqSettings;
  readonly #cleaning: Cleaning;

  constructor(queues: Queues, settings: BullmqSettings) {
    this.#queues = queues;
    this.#settings = settings;
    this.address = settings.address;
    this.leaseMs = settings.leaseMs;
    this.#cleaning = new Cleaning(queues, settings.retention, settings.onError);
  }

  queueOf(jobName: string): string {
    return queueName(this.#settings.queue, jobName);
  }

  isOutOfReach(error: unknown): boolean {
    return isOutOfReach(error);
  }

  async insert(jobs: readonly NewJob[]): Promise<readonly boolean[]> {
    const [{ name, hasIdempotencyKey }] = jobs as [NewJob];
    const queue = await this.#queues.of(name);
    if (hasIdempotencyKey) await this.#forgetCancellations(name, jobs);
    const now = Date.now();
    const added = jobs.map((job) => ({
      name,
      data: dataOf(job),
      opts: {
        ...optionsOf(job, this.#settings.retention),
        jobId: job.id,
        timestamp: now,
        delay: Math.max(0, (job.runAt?.getTime() ?? now) - now),
      },
    }));
    const [first] = added as [(typeof added)[number]];
    // Sent first, over the same connection: whoever sees the jobs finds their name.
    const noting = this.#queues.note([name]).catch(this.#settings.onError);
    await (added.length === 1
      ? queue.add(first.name, first.data, first.opts)
      : queue.addBulk(added).catch(throwReason));
    await noting;
    if (!hasIdempotencyKey) return jobs.map(() => true);
    // BullMQ answers as if it had stored what it was given: what it has is there to be read.
    const client = await this.#queues.client;
    return Promise.all(
      added.map(async ({ opts, data }) => {
        const [stored] = await client.hmget(queue.toKey(opts.jobId), "data");
        return stored == null || stored.includes(`"nonce":"${data.nonce}"`);
      }),
    );
  }

  /** A job that was cancelled before is not the reason to cancel a new one of its id. */
  async #forgetCancellations(name: string, jobs: readonly NewJob[]): Promise<void> {
    const client = await this.#queues.client;
    const keys = this.#queues.keysOf(name);
    const stored = await Promise.all(jobs.map(({ id }) => client.hmget(`${keys}${id}`, "timestamp")));
    const gone = jobs.filter((_, index) => stored[index]?.[0] == null).map(({ id }) => id);
    if (gone.length > 0) await client.hdel(this.#queues.cancelRequestsOf(name), ...gone);
  }

  /** Opens all names at once: a link may be slow. */
  async consumer(jobNames: readonly string[]): Promise<JobConsumer<BullmqLeasedJob>> {
    const { leaseMs, onError } = this.#settings;
    const client = await this.#queues.client;
    const clock = new RedisClock(onError);
    await clock.measure(client);
    const consumers = new Map<string, QueueConsumer>();
    const setUp = { client, clock, prefix: this.#queues.prefix, leaseMs };
    const opening = jobNames.map(async (name) => {
      const consumer = new QueueConsumer(name, this.queueOf(name), setUp);
      consumer.on("error", onError);
      consumers.set(name, consumer);
      await Promise.all([this.#queues.of(name), consumer.waitUntilReady()]);
      await consumer.startStalledCheckTimer();
    });
    opening.push(this.#queues.note(jobNames));
    try {
      await Promise.all(opening);
    } catch (error) {
      await Promise.allSettled(opening);
      await Promise.all([...consumers.values()].map((consumer) => consumer.close(true)));
      throw error;
    }
    return new BullmqConsumer(this.#queues, consumers, clock, leaseMs, onError);
  }

  async #namesWith(jobId: string): Promise<readonly string[]> {
    const client = await this.#queues.client;
    const names = await this.#queues.names();
    return namesWithJob(client, this.#queues.namesKey, names, (name) => this.#queues.keysOf(name), jobId);
  }

  async cancel(jobId: string): Promise<boolean> {
    const client = await this.#queues.client;
    for (const name of await this.#namesWith(jobId)) {
      const keys = {
        queue: this.#queues.keysOf(name),
        requests: this.#queues.cancelRequestsOf(name),
        cancellations: this.#queues.cancellationsOf(name),
      };
      if (await cancelJob(client, keys, jobId)) return true;
    }
    return false;
  }

  async backlog(): Promise<readonly JobBacklog[]> {
    return [...(await this.counts())].map(([jobName, { waiting, oldestWaitingAt }]) => ({
      jobName,
      waiting,
      oldestWaitingAt,
    }));
  }

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    const { namesKey, base } = this.#queues;
    return readCounts(await this.#queues.client, namesKey, base, this.#settings.onError);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const client = await this.#queues.client;
    const names = await this.#queues.names();
    return readDeadLetters(client, this.#queues.namesKey, names, (name) => this.#queues.keysOf(name), limit);
  }

  async redrive(jobId: string): Promise<boolean> {
    const client = await this.#queues.client;
    for (const name of await this.#namesWith(jobId)) {
      const requests = this.#queues.cancelRequestsOf(name);
      if (await redriveJob(client, this.#queues.keysOf(name), requests, jobId)) return true;
    }
    return false;
  }

  async schedule(job: NewJob, cron: string, timeZone: string, key = ""): Promise<void> {
    const queue = await this.#queues.of(job.name);
    await this.#queues.note([job.name]);
    await storeSchedule(await this.#queues.client, queue, {
      jobName: job.name,
      cron,
      timeZone,
      key,
      data: dataOf(job),
      options: optionsOf(job, this.#settings.retention),
    });
  }

  async unschedule(jobName: string, key = ""): Promise<boolean> {
    const queue = await this.#queues.of(jobName);
    return queue.removeJobScheduler(schedulerId(key));
  }

  close(): Promise<void> {
    this.#cleaning.stop();
    return this.#queues.close();
  }
}
