import { type AdvancedRepeatOptions, type ConnectionOptions, Job, Worker } from "bullmq";
import { LeaseCommand } from "./lease-command.ts";
import type { RedisClient } from "./redis-client.ts";
import { backoffStrategy } from "./retry-later.ts";
import { type Clock, ScriptInterceptor } from "./script-interceptor.ts";

/** BullMQ's answer to a lease, and to a settlement that asks for a next job. */
type NextJobData = readonly [data?: object, id?: string];

/** A job's fields, as BullMQ parses them. */
type JobData = NonNullable<Parameters<Worker["nextJobFromJobData"]>[0]>;

/** BullMQ only counts how often a job stalled. The attempts of the job decide how often is too often. */
const unlimited = 2 ** 31 - 1;

/** Options of {@link ManualWorker}. */
export interface ManualWorkerOptions {
  /** The client that all workers and queues of an engine share. */
  readonly client: RedisClient;
  /** The clock of Redis. */
  readonly clock: Clock;
  readonly prefix: string;
  readonly leaseMs: number;
  /** Computes the moments of schedules. */
  readonly repeatStrategy: NonNullable<AdvancedRepeatOptions["repeatStrategy"]>;
}

/** A BullMQ worker without a processor. Hands jobs out one by one, finds stalled jobs and keeps schedules going. */
export class ManualWorker<Data> extends Worker<Data> {
  readonly interceptor: ScriptInterceptor;
  readonly #clock: Clock;
  #leaseCommand: LeaseCommand | undefined;

  constructor(queue: string, { client, clock, prefix, leaseMs, repeatStrategy }: ManualWorkerOptions) {
    const interceptor = new ScriptInterceptor(client, clock);
    super(queue, null, {
      connection: interceptor.client as unknown as ConnectionOptions,
      prefix,
      autorun: false,
      // The connection was checked when it was opened.
      skipVersionCheck: true,
      lockDuration: leaseMs,
      // Twice within a lease: a job counts as stalled when its lock is gone at a second look.
      stalledInterval: Math.ceil(leaseMs / 2),
      maxStalledCount: unlimited,
      settings: { backoffStrategy, repeatStrategy },
    });
    this.interceptor = interceptor;
    this.#clock = clock;
  }

  /** The first part of the queue's keys. */
  get keyPrefix(): string {
    return this.toKey("");
  }

  /** Converts a moment of Redis's clock to the clock of this process. */
  localTime(redisMs: number): number {
    return redisMs - this.#clock.offsetMs;
  }

  /**
   * Leases a job if there is one now. BullMQ makes the command for the first lease, and others with tokens of the same length repeat it: with
   * `getNextJob`, which goes through six more functions, an idle worker started a job 60 microseconds later.
   */
  protected leaseJob(token: string): Promise<Job<Data> | undefined> {
    const command = this.#leaseCommand;
    if (!command?.isRepeatableWith(token)) return this.#leaseFirst(token);
    if (this.closing !== undefined) return Promise.resolve(undefined);
    return this.interceptor.lease(command, token).then((answer) => this.jobFromAnswer(answer, token));
  }

  async #leaseFirst(token: string): Promise<Job<Data> | undefined> {
    const job = await this.getNextJob(token, { block: false });
    const { lastLease } = this.interceptor;
    const command = lastLease && new LeaseCommand(...lastLease, token);
    if (command?.isRepeatableWith(token)) this.#leaseCommand = command;
    return job ?? undefined;
  }

  /** Returns the job that came with the answer to a settlement, leased with the same token. */
  jobFromAnswer(answer: unknown, token: string): Job<Data> | undefined | Promise<Job<Data> | undefined> {
    const [data, id] = (answer ?? []) as NextJobData;
    return data && id ? this.#jobFrom(data as JobData, id, token) : undefined;
  }

  /** Puts a leased job back to the front of the queue, without using up an attempt. */
  async putBack(id: string, token: string): Promise<void> {
    const job = new Job(this as never, this.name, {}, {}, id);
    this.interceptor.takeParsedFields(id);
    await job.moveToWait(token);
  }

  /** Returns a job also if BullMQ could not make the next one of its schedule. The "error" event tells of that. */
  protected override async nextJobFromJobData(
    ...[data, id, token]: Parameters<Worker<Data>["nextJobFromJobData"]>
  ): Promise<Job<Data>> {
    if (!data || !id) return super.nextJobFromJobData(data, id, token);
    return this.#jobFrom(data, id, token);
  }

  /** Without a promise for a job of no schedule: BullMQ does nothing more for it than to emit events, which are not heard here. */
  #jobFrom(data: JobData, id: string, token: string | undefined): Job<Data> | Promise<Job<Data>> {
    const job = this.createJob(data, id);
    if (token !== undefined) job.token = token;
    const isPlain = job.repeatJobKey === undefined && job.opts.repeat === undefined;
    return isPlain ? job : super.nextJobFromJobData(data, id, token).then((scheduled) => scheduled ?? job);
  }
}
