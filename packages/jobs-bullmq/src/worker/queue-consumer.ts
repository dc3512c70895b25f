import type { Job } from "bullmq";
import { ManualWorker, type ManualWorkerOptions, type Marker } from "../bullmq-internals/index.ts";
import type { StoredData } from "../store/stored-data.ts";
import { LeaseTokens } from "./lease-tokens.ts";

/** For how long a consumer leaves unusable keys alone: at first, and at most. */
const backOffMs = { first: 100, most: 5_000 };

/** The most jobs that one look asks for at once. */
const maxAppetite = 64;

/** Takes the jobs of one name, and knows which of their leases this process holds. */
export class QueueConsumer extends ManualWorker<StoredData> {
  readonly jobName: string;
  readonly tokens: LeaseTokens = new LeaseTokens();
  /** Whether the last look found no job, so that the next one may wait. */
  isDrained = false;
  /** When a job of a drained queue is due, in Unix milliseconds of Redis's clock. Undefined if none is known. */
  dueMs: number | undefined;
  /** The queue's marker, if the engine has taken it and has not looked for a job since. */
  marker: Marker | undefined;
  /** When it was this consumer's turn, counted over all consumers of the worker. */
  turn = 0;
  #appetite = 1;
  #looking = 0;
  #leaving = 0;
  #backOffMs = 0;
  #backsOffUntilMs = 0;

  constructor(jobName: string, queue: string, options: ManualWorkerOptions) {
    super(queue, options);
    this.jobName = jobName;
  }

  /** Whether a look may find a job. */
  get isReady(): boolean {
    return !this.isDrained && (this.#backsOffUntilMs === 0 || this.backOffLeftMs === 0);
  }

  /** The jobs that this process holds, or may be about to hold. */
  get share(): number {
    return this.tokens.held + this.#looking - this.#leaving;
  }

  /** How many looks may be under way. Grows while all looks find jobs, so that an idle worker fills its slots in a few round trips. */
  get isHungry(): boolean {
    return this.#looking < this.#appetite;
  }

  /** Milliseconds until the next look, after the queue's keys could not be used. 0 if the next look need not wait. */
  get backOffLeftMs(): number {
    return Math.max(0, this.#backsOffUntilMs - performance.now());
  }

  /** Waits for longer after each failure, until a look succeeds. */
  backOff(): void {
    this.rest(Math.min(backOffMs.most, Math.max(backOffMs.first, this.#backOffMs * 2)));
  }

  /** Leaves the queue alone for a time. */
  rest(ms: number = backOffMs.most): void {
    this.#backOffMs = ms;
    this.#backsOffUntilMs = performance.now() + ms;
  }

  /** Takes a job if there is one now. */
  async take(): Promise<Job<StoredData> | undefined> {
    const token = this.tokens.open();
    this.#looking++;
    try {
      const job = (await this.getNextJob(token, { block: false })) ?? undefined;
      this.#backOffMs = 0;
      this.#backsOffUntilMs = 0;
      this.marker = undefined;
      this.isDrained = job === undefined;
      this.dueMs = this.interceptor.nextDueMs;
      if (job === undefined) this.#appetite = 1;
      else if (this.#looking >= this.#appetite) this.#appetite = Math.min(maxAppetite, this.#appetite * 2);
      return this.#keep(job, token);
    } finally {
      this.#looking--;
      this.tokens.close(token);
    }
  }

  /** Takes the job that came with the answer to a settlement. Without a promise, unless BullMQ has to make the next one of its schedule. */
  next(answer: unknown, token: string): Job<StoredData> | undefined | Promise<Job<StoredData> | undefined> {
    const job = this.jobFromAnswer(answer, token);
    // A release or a snooze brings no answer: nothing is known of the queue then.
    this.isDrained = job === undefined && Array.isArray(answer);
    if (this.isDrained) this.dueMs = this.interceptor.dueMsFrom(answer as readonly unknown[]);
    if (job instanceof Promise) return job.then((next) => this.#keep(next, token));
    return this.#keep(job, token);
  }

  #keep(job: Job<StoredData> | undefined, token: string): Job<StoredData> | undefined {
    if (job !== undefined) this.tokens.keep(job.id as string, token);
    return job;
  }

  /** A job of this name is about to end, and another name may have its place. Call the returned function once it is recorded. */
  leave(): () => void {
    this.#leaving++;
    return () => this.#leaving--;
  }

  /** Puts a job back to the front of the queue, without using up an attempt. If that fails, the lease counts as lost. */
  async giveBack(id: string, token: string): Promise<void> {
    try {
      await this.putBack(id, token);
    } finally {
      this.tokens.drop(id, token);
    }
  }
}
