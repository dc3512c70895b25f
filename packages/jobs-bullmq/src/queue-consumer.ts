import { type ConnectionOptions, Job, Worker } from "bullmq";
import { ConsumerClient } from "./consumer-client.ts";
import { LeaseTokens } from "./lease-tokens.ts";
import type { RedisClient } from "./queues.ts";
import type { RedisClock } from "./redis-clock.ts";
import type { StoredData } from "./stored-data.ts";

/** The error with which BullMQ fails a job that is tried again. */
export class RetryLater extends Error {
  readonly delayMs: number;

  constructor(message: string, delayMs: number) {
    super(message);
    this.delayMs = delayMs;
  }
}

/** The backoff that a job gets when it is settled, whoever has stored it: its delay is decided where the job ran. */
export const backoffType = "nidus";

/** What `moveToCompleted` answers when it is asked for a next job. */
type NextJobData = readonly [data?: object, id?: string];

/** BullMQ counts how often a job stalled: how often is too often is decided by its attempts. */
const unlimited = 2 ** 31 - 1;

/** How long a consumer whose keys cannot be used is left alone at first, and at most. */
const rests = { firstMs: 100, mostMs: 5_000 };

/** What all consumers of a consumer share. */
export interface QueueConsumerSetUp {
  readonly client: RedisClient;
  readonly clock: RedisClock;
  readonly prefix: string;
  readonly leaseMs: number;
}

/**
 * One job name's end of a worker: a BullMQ worker without a processor, from which jobs are taken by hand. It looks for
 * stalled jobs, and knows of schedules when it hands a job out.
 */
export class QueueConsumer extends Worker<StoredData> {
  readonly jobName: string;
  readonly passage: ConsumerClient;
  readonly tokens: LeaseTokens = new LeaseTokens();
  /** There was nothing the last time: the next look may wait. */
  isDrained = false;
  readonly #clock: RedisClock;
  #restMs = 0;
  #restsUntilMs = 0;

  constructor(jobName: string, queue: string, { client, clock, prefix, leaseMs }: QueueConsumerSetUp) {
    const passage = new ConsumerClient(client, clock);
    super(queue, null, {
      connection: passage.connection as unknown as ConnectionOptions,
      prefix,
      autorun: false,
      lockDuration: leaseMs,
      // Twice within a lease: a job counts as stalled when its lock is gone at a second look.
      stalledInterval: Math.ceil(leaseMs / 2),
      maxStalledCount: unlimited,
      settings: {
        backoffStrategy: (_attempts, type, error) =>
          type === backoffType && error instanceof RetryLater ? error.delayMs : 0,
      },
    });
    this.jobName = jobName;
    this.passage = passage;
    this.#clock = clock;
  }

  /** The first part of the queue's keys. */
  get keyPrefix(): string {
    return this.toKey("");
  }

  /** A moment by Redis's clock, by the clock of this process. */
  localTime(redisMs: number): number {
    return redisMs - this.#clock.offsetMs;
  }

  /** Milliseconds until the next look, after its keys could not be used; 0 if there is nothing to wait for. */
  get restsForMs(): number {
    return Math.max(0, this.#restsUntilMs - performance.now());
  }

  rest(): void {
    this.#restMs = Math.min(rests.mostMs, Math.max(rests.firstMs, this.#restMs * 2));
    this.#restsUntilMs = performance.now() + this.#restMs;
  }

  /** Takes a job if there is one now; with `block`, waits for one some seconds at most. */
  async take(block: boolean): Promise<Job<StoredData> | undefined> {
    const token = this.tokens.open();
    try {
      const job = (await this.getNextJob(token, { block })) ?? undefined;
      this.#restMs = 0;
      if (!block || job !== undefined) this.isDrained = job === undefined;
      if (job !== undefined) this.tokens.keep(job.id as string, token);
      return job;
    } finally {
      this.tokens.close(token);
    }
  }

  /** The job that came with the answer to a outcome. */
  async next(answer: unknown, token: string): Promise<Job<StoredData> | undefined> {
    const [data, id] = (answer ?? []) as NextJobData;
    // What the answer says of jobs that are due later is for a look of its own to find out.
    this.isDrained = false;
    if (!data || !id) return undefined;
    const job = await this.nextJobFromJobData(data as never, id, token);
    this.tokens.keep(id, token);
    return job;
  }

  /** Puts a job back to the front of those that wait, without an attempt spent. */
  async giveBack(id: string, token: string): Promise<void> {
    const job = new Job(this as never, this.jobName, {}, {}, id);
    this.passage.takeFacts(id);
    await job.moveToWait(token);
    this.tokens.drop(id, token);
  }

  /** A job is not lost since its schedule's next one could not be made, of which the consumer's error event tells. */
  protected override async nextJobFromJobData(
    ...[data, id, token]: Parameters<Worker<StoredData>["nextJobFromJobData"]>
  ): Promise<Job<StoredData>> {
    const job = await super.nextJobFromJobData(data, id, token);
    if (job !== undefined || !data || !id) return job;
    const alone = this.createJob(data, id);
    if (token !== undefined) alone.token = token;
    return alone;
  }

  /** BullMQ compares the moment from which a delayed job can run with the clock of this process. */
  protected override getBlockTimeout(blockUntil: number): number {
    return super.getBlockTimeout(blockUntil && this.localTime(blockUntil));
  }
}
