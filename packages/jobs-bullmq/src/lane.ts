import { type ConnectionOptions, type Job, Worker } from "bullmq";
import { backoffType, type StoredData } from "./stored-data.ts";

/** The error with which a job is failed, and when it is to be tried again. */
export class RetryLater extends Error {
  readonly delayMs: number;

  constructor(message: string, delayMs: number) {
    super(message);
    this.delayMs = delayMs;
  }
}

/** What `moveToCompleted` answers when it is asked for a next job. */
type NextJobData = readonly [data?: object, id?: string];

/** BullMQ counts how often a job stalled: how often is too often is decided by its attempts. */
const unlimited = 2 ** 31 - 1;

/**
 * One job name's end of a worker: a BullMQ worker without a processor, from which jobs are taken by hand. It looks for
 * stalled jobs, and knows of schedules when it hands a job out.
 */
export class Lane extends Worker<StoredData> {
  readonly jobName: string;
  /** There was nothing the last time: the next look may wait. */
  isDrained = false;

  constructor(
    jobName: string,
    queue: string,
    connection: ConnectionOptions,
    prefix: string,
    leaseMs: number,
  ) {
    super(queue, null, {
      connection,
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
  }

  /** A job if there is one now. */
  async take(token: string): Promise<Job<StoredData> | undefined> {
    const job = await this.getNextJob(token, { block: false });
    this.isDrained = job === undefined;
    return job ?? undefined;
  }

  /** Waits for a job, some seconds at most. */
  async wait(token: string): Promise<Job<StoredData> | undefined> {
    const job = await this.getNextJob(token);
    if (job !== undefined) this.isDrained = false;
    return job ?? undefined;
  }

  /** The job that came with the answer to a settlement. */
  async next(answer: unknown, token: string): Promise<Job<StoredData> | undefined> {
    const [data, id] = (answer ?? []) as NextJobData;
    // What the answer says of jobs that are due later is for a look of its own to find out.
    this.isDrained = false;
    if (!data || !id) return undefined;
    return (await this.nextJobFromJobData(data as never, id, token)) ?? undefined;
  }
}
