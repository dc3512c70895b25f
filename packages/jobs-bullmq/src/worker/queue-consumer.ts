import type { Job } from "bullmq";
import {
  claimStalledReport,
  ManualWorker,
  type ManualWorkerOptions,
  type ParsedFields,
  repairJob,
} from "../bullmq-internals/index.ts";
import type { Queues } from "../store/queues.ts";
import type { StoredData } from "../store/stored-data.ts";
import { LeaseTokens } from "./lease-tokens.ts";
import { type BullmqLeasedJob, leasedJobFrom } from "./leased-job.ts";
import { QueueState } from "./queue-state.ts";

/** For how long a job in the wrong queue is postponed, and so how often `onError` hears of it. */
const postponeMs = 60_000;

/** Takes the jobs of one name, and knows which of their leases this process holds. Asks Redis only about jobs of which there is more to know. */
export class QueueConsumer extends ManualWorker<StoredData> {
  readonly jobName: string;
  readonly tokens: LeaseTokens = new LeaseTokens();
  readonly state: QueueState = new QueueState();
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

  /** The jobs that this process holds, or may be about to hold. */
  get share(): number {
    return this.tokens.held + this.state.coming;
  }

  /** Takes a job if there is one now. */
  async take(): Promise<BullmqLeasedJob | undefined> {
    const token = this.tokens.open();
    this.state.beginLook();
    let job: Job<StoredData> | undefined;
    try {
      job = await this.leaseJob(token);
      this.state.looked(job !== undefined, this.interceptor.nextDueMs);
      if (job !== undefined) this.tokens.keep(job.id as string, token);
    } finally {
      this.state.endLook();
      this.tokens.close(token);
    }
    return job && this.#leased(job);
  }

  /** Takes the job that came with the answer to a settlement. Without a promise if there is no more to ask or to do, since this runs for every job. */
  next(answer: unknown, token: string): BullmqLeasedJob | undefined | Promise<BullmqLeasedJob | undefined> {
    const job = this.jobFromAnswer(answer, token);
    // A release or a snooze brings no answer: nothing is known of the queue then.
    const isDrained = job === undefined && Array.isArray(answer);
    this.state.isDrained = isDrained;
    if (isDrained) this.state.dueMs = this.interceptor.dueMsFrom(answer as readonly unknown[]);
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
