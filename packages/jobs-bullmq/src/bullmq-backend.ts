import type {
  DeadLetter,
  EngineCapabilities,
  JobBackend,
  JobCounts,
  JobSource,
  NewJob,
} from "@nidus/jobs-durable";
import type { JobBacklog } from "@nidus/jobs-observe";
import { defaultRepeatStrategy, type Queue } from "bullmq";
import { BullmqSource } from "./bullmq-source.ts";
import { cancelJob } from "./cancelling.ts";
import { type QueueCounts, readCounts } from "./counts.ts";
import { readDeadLetters } from "./dead-letters.ts";
import { namesWithJob, redriveJob } from "./jobs-by-id.ts";
import { Lane } from "./lane.ts";
import type { LeasedJob } from "./leased-job.ts";
import { queueName } from "./queue-name.ts";
import type { Queues } from "./queues.ts";
import { RedisClock } from "./redis-clock.ts";
import { dataOf, optionsOf, type Retention, type StoredData } from "./stored-data.ts";

/** What the backend is told. */
export interface BullmqSettings {
  readonly queue: string;
  readonly address: string;
  readonly leaseMs: number;
  readonly retention: Retention;
  readonly onError: (error: unknown) => void;
}

/** Jobs in BullMQ's queues, one per job name. */
export class BullmqBackend implements JobBackend<LeasedJob> {
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

  constructor(queues: Queues, settings: BullmqSettings) {
    this.#queues = queues;
    this.#settings = settings;
    this.address = settings.address;
    this.leaseMs = settings.leaseMs;
  }

  queueOf(jobName: string): string {
    return queueName(this.#settings.queue, jobName);
  }

  /** What ioredis and BullMQ say of connections that ended. */
  isOutOfReach(error: unknown): boolean {
    return /^(Connection is closed|Reached the max retries|Stream isn't writeable)/.test(
      String((error as { message?: unknown }).message),
    );
  }

  async insert(jobs: readonly NewJob[]): Promise<readonly boolean[]> {
    const [{ name, hasIdempotencyKey }] = jobs as [NewJob];
    const queue = await this.#queues.of(name);
    if (hasIdempotencyKey) await this.#forgetCancellations(name, queue, jobs);
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
    const [first] = added;
    if (added.length === 1 && first !== undefined) await queue.add(first.name, first.data, first.opts);
    else await queue.addBulk(added);
    if (!hasIdempotencyKey) return jobs.map(() => true);
    // BullMQ answers as if it had stored what it was given: what it has is there to be read.
    return Promise.all(
      added.map(async ({ opts, data }) => {
        const stored = await queue.getJob(opts.jobId);
        return stored === undefined || stored.data.nonce === data.nonce;
      }),
    );
  }

  /** A job that was cancelled before is not the reason to cancel a new one of its id. */
  async #forgetCancellations(name: string, queue: Queue<StoredData>, jobs: readonly NewJob[]): Promise<void> {
    const stored = await Promise.all(jobs.map(({ id }) => queue.getJob(id)));
    const gone = jobs.filter((_, index) => stored[index] === undefined).map(({ id }) => id);
    if (gone.length > 0) await (await this.#queues.client).hdel(this.#queues.cancelRequestsOf(name), ...gone);
  }

  async source(jobNames: readonly string[]): Promise<JobSource<LeasedJob>> {
    const { leaseMs, onError } = this.#settings;
    const client = await this.#queues.client;
    const clock = new RedisClock(onError);
    await clock.measure(client);
    const lanes = new Map<string, Lane>();
    const setUp = { client, clock, prefix: this.#queues.prefix, leaseMs };
    for (const name of jobNames) {
      await this.#queues.of(name);
      const lane = new Lane(name, this.queueOf(name), setUp);
      lane.on("error", onError);
      lanes.set(name, lane);
      await lane.waitUntilReady();
      await lane.startStalledCheckTimer();
    }
    return new BullmqSource(this.#queues, lanes, clock, leaseMs, onError);
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
    return [...(await this.#queueCounts())].map(([jobName, { waiting, oldestWaitingAt }]) => ({
      jobName,
      waiting,
      oldestWaitingAt,
    }));
  }

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    const counts = [...(await this.#queueCounts())].map(
      async ([name, each]) => [name, { ...each, cancelled: await this.#cancelled(name) }] as const,
    );
    return new Map(await Promise.all(counts));
  }

  async #queueCounts(): Promise<ReadonlyMap<string, QueueCounts>> {
    return readCounts(await this.#queues.client, this.#queues.namesKey);
  }

  /** How many jobs were cancelled, once those that are retained no longer are forgotten. */
  async #cancelled(name: string): Promise<number> {
    await this.#forgetOld(this.#queues.cancelRequestsOf(name));
    return this.#forgetOld(this.#queues.cancellationsOf(name));
  }

  /** Resolves to how many notes are left in a hash of notes by id. */
  async #forgetOld(key: string): Promise<number> {
    const client = await this.#queues.client;
    const notes = Object.entries(await client.hgetall(key));
    const oldestMs = Date.now() - this.#settings.retention.succeededSeconds * 1000;
    const old = notes.filter(([, atMs]) => Number(atMs) < oldestMs).map(([id]) => id);
    if (old.length > 0) await client.hdel(key, ...old);
    return notes.length - old.length;
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
    try {
      defaultRepeatStrategy(Date.now(), { pattern: cron, tz: timeZone });
    } catch (error) {
      throw new TypeError(`expected \`cron\` to be a cron expression, got "${cron}"`, { cause: error });
    }
    const queue = await this.#queues.of(job.name);
    const template = { name: job.name, data: dataOf(job), opts: optionsOf(job, this.#settings.retention) };
    await queue.upsertJobScheduler(schedulerId(key), { pattern: cron, tz: timeZone }, template);
  }

  async unschedule(jobName: string, key = ""): Promise<boolean> {
    const queue = await this.#queues.of(jobName);
    return queue.removeJobScheduler(schedulerId(key));
  }

  close(): Promise<void> {
    return this.#queues.close();
  }
}

/** Without the colons that BullMQ reads its own format from. */
function schedulerId(key: string): string {
  return `nidus.${encodeURIComponent(key)}`;
}
