import type { Job } from "bullmq";
import {
  claimStalledReport,
  ManualWorker,
  type ManualWorkerOptions,
  type Marker,
  type ParsedFields,
  repairJob,
} from "../bullmq-internals/index.ts";
import type { Queues } from "../store/queues.ts";
import type { StoredData } from "../store/stored-data.ts";
import { LeaseTokens } from "./lease-tokens.ts";
import { type BullmqLeasedJob, leasedJobFrom } from "./leased-job.ts";

/** For how long a consumer leaves unusable keys alone: at first, and at most. */
const backOffMs = { first: 100, most: 5_000 };

/** The most jobs that one look asks for at once. */
const maxAppetite = 64;

/** For how long a job in the wrong queue is postponed, and so how often `onError` hears of it. */
const postponeMs = 60_000;

/** Takes the jobs of one name, and knows which of their leases this process holds. Asks Redis only about jobs of which there is more to know. */
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
  readonly #queues: Queues;
  readonly #onError: (error: unknown) => void;

  constructor(
    queues: Queues,
    jobName: string,
    queue: string,
    options: ManualWorkerOptions,
    onError: (error: unknown) => void,
  ) {
    super(queue, options);
    this.jobName = jobName;
    this.#queues = queues;
    this.#onError = onError;
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
  async take(): Promise<BullmqLeasedJob | undefined> {
    const token = this.tokens.open();
    this.#looking++;
    let job: Job<StoredData> | undefined;
    try {
      job = (await this.getNextJob(token, { block: false })) ?? undefined;
      this.#backOffMs = 0;
      this.#backsOffUntilMs = 0;
      this.marker = undefined;
      this.isDrained = job === undefined;
      this.dueMs = this.interceptor.nextDueMs;
      if (job === undefined) this.#appetite = 1;
      else if (this.#looking >= this.#appetite) this.#appetite = Math.min(maxAppetite, this.#appetite * 2);
      if (job !== undefined) this.tokens.keep(job.id as string, token);
    } finally {
      this.#looking--;
      this.tokens.close(token);
    }
    return job && this.#leased(job);
  }

  /** Takes the job that came with the answer to a settlement. Without a promise if there is no more to ask or to do, since this runs for every job. */
  next(answer: unknown, token: string): BullmqLeasedJob | undefined | Promise<BullmqLeasedJob | undefined> {
    const job = this.jobFromAnswer(answer, token);
    // A release or a snooze brings no answer: nothing is known of the queue then.
    this.isDrained = job === undefined && Array.isArray(answer);
    if (this.isDrained) this.dueMs = this.interceptor.dueMsFrom(answer as readonly unknown[]);
    if (job instanceof Promise) return job.then((next) => next && this.#kept(next, token));
    return job && this.#kept(job, token);
  }

  #kept(job: Job<StoredData>, token: string): BullmqLeasedJob | Promise<BullmqLeasedJob | undefined> {
    this.tokens.keep(job.id as string, token);
    return this.#leased(job);
  }

  /** Makes a leased job, without a promise if Redis need not be asked. Postpones a job that is in the wrong queue: undefined then. */
  #leased(stored: Job<StoredData>): BullmqLeasedJob | Promise<BullmqLeasedJob | undefined> {
    if (stored.name && stored.name !== this.jobName) return this.#postpone(stored);
    const fields = this.interceptor.takeParsedFields(stored.id as string);
    const hasQuestions = mayHaveRequest(stored) || stored.stalledCounter > 0 || fields.hasBadCounts;
    return hasQuestions ? this.#inquire(stored, fields) : leasedJobFrom(this, this.jobName, stored, fields);
  }

  /** Postpones a job that another program has put into the queue: no worker here knows it, and it must not come again at once. */
  async #postpone(stored: Job<StoredData>): Promise<undefined> {
    const [id, token] = [stored.id as string, stored.token as string];
    this.interceptor.takeParsedFields(id);
    this.tokens.drop(id, token);
    this.#onError(
      new Error(`a job named "${stored.name}" is in the queue of "${this.jobName}": postponed for a minute`),
    );
    await stored.moveToDelayed(Date.now() + postponeMs, token).catch(this.#onError);
  }

  /** Asks Redis what there is to know of a job beside its fields. */
  async #inquire(stored: Job<StoredData>, fields: ParsedFields): Promise<BullmqLeasedJob> {
    const { keyPrefix, jobName } = this;
    const [id, token] = [stored.id as string, stored.token as string];
    try {
      const client = await this.#queues.client;
      if (fields.hasBadCounts) await repairJob(client, keyPrefix, id, token);
      const isAsked = mayHaveRequest(stored);
      const [[request], followsStalled] = await Promise.all([
        isAsked ? client.hmget(this.#queues.cancelRequestsOf(jobName), id) : [null],
        stored.stalledCounter > 0 && claimStalledReport(client, keyPrefix, stored),
      ]);
      return leasedJobFrom(this, jobName, stored, fields, {
        isCancelRequested: request != null,
        followsStalled,
      });
    } catch (error) {
      // The job is leased already and must run. A cancel request is found again while it runs.
      this.#onError(error);
      return leasedJobFrom(this, jobName, stored, fields);
    }
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

/** Tells whether a job may have a cancel request: BullMQ has started it before, or ties it to something else. */
function mayHaveRequest({ attemptsStarted, repeatJobKey, parentKey, deduplicationId }: Job): boolean {
  return attemptsStarted > 1 || (repeatJobKey ?? parentKey ?? deduplicationId) !== undefined;
}
