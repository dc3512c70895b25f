import type { Job } from "bullmq";
import { ManualWorker, type ManualWorkerOptions } from "../bullmq-internals/index.ts";
import type { StoredData } from "../store/stored-data.ts";
import { LeaseTokens } from "./lease-tokens.ts";

/** For how long a consumer leaves unusable keys alone: at first, and at most. */
const backOffMs = { first: 100, most: 5_000 };

/** Takes the jobs of one name, and knows which of their leases this process holds. */
export class QueueConsumer extends ManualWorker<StoredData> {
  readonly jobName: string;
  readonly tokens: LeaseTokens = new LeaseTokens();
  /** Whether the last look found no job, so that the next one may wait. */
  isDrained = false;
  #backOffMs = 0;
  #backsOffUntilMs = 0;

  constructor(jobName: string, queue: string, options: ManualWorkerOptions) {
    super(queue, options);
    this.jobName = jobName;
  }

  /** Milliseconds until the next look, after the queue's keys could not be used. 0 if the next look need not wait. */
  get backOffLeftMs(): number {
    return Math.max(0, this.#backsOffUntilMs - performance.now());
  }

  /** Waits for longer after each failure, until a look succeeds. */
  backOff(): void {
    this.#backOffMs = Math.min(backOffMs.most, Math.max(backOffMs.first, this.#backOffMs * 2));
    this.#backsOffUntilMs = performance.now() + this.#backOffMs;
  }

  /** Takes a job if there is one now. With `block`, waits some seconds at most for one. */
  async take(block: boolean): Promise<Job<StoredData> | undefined> {
    const token = this.tokens.open();
    try {
      const job = (await this.getNextJob(token, { block })) ?? undefined;
      this.#backOffMs = 0;
      if (!block || job !== undefined) this.isDrained = job === undefined;
      if (job !== undefined) this.tokens.keep(job.id as string, token);
      return job;
    } finally {
      this.tokens.close(token);
    }
  }

  /** Takes the job that came with the answer to a settlement. */
  async next(answer: unknown, token: string): Promise<Job<StoredData> | undefined> {
    // The answer also tells of jobs that are due later: the next look finds these.
    this.isDrained = false;
    const job = await this.jobFromAnswer(answer, token);
    if (job !== undefined) this.tokens.keep(job.id as string, token);
    return job;
  }

  /** Puts a job back to the front of the queue, without using up an attempt. */
  async giveBack(id: string, token: string): Promise<void> {
    await this.putBack(id, token);
    this.tokens.drop(id, token);
  }
}
