import {
  cancelJob,
  cancelJobs,
  namesWithJob,
  redriveJob,
  redriveJobs,
  rescheduleJob,
} from "../bullmq-internals/index.ts";
import type { Queues } from "./queues.ts";
import type { RetentionSeconds } from "./stored-data.ts";

/** Does what callers ask for jobs that are stored. */
export class JobActions {
  readonly #queues: Queues;
  readonly #retainedMs: number;

  constructor(queues: Queues, { succeededSeconds }: RetentionSeconds) {
    this.#queues = queues;
    this.#retainedMs = succeededSeconds * 1000;
  }

  async #namesWith(jobId: string): Promise<readonly string[]> {
    const client = await this.#queues.client;
    const names = await this.#queues.names();
    return namesWithJob(client, this.#queues.namesKey, names, (name) => this.#queues.keysOf(name), jobId);
  }

  /** Resolves to the name of the job that was cancelled. */
  async cancel(jobId: string): Promise<string | undefined> {
    const client = await this.#queues.client;
    for (const name of await this.#namesWith(jobId)) {
      if (await cancelJob(client, this.#keysOf(name), jobId)) return name;
    }
    return undefined;
  }

  async cancelAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    return cancelJobs(await this.#queues.client, this.#keysOf(jobName), jobIds);
  }

  #keysOf(name: string): Parameters<typeof cancelJob>[1] {
    return {
      queue: this.#queues.keysOf(name),
      requests: this.#queues.cancelRequestsOf(name),
      cancellations: this.#queues.cancellationsOf(name),
      retainedMs: this.#retainedMs,
    };
  }

  async reschedule(jobId: string, runAt: Date): Promise<boolean> {
    const client = await this.#queues.client;
    for (const name of await this.#namesWith(jobId)) {
      if (await rescheduleJob(client, this.#queues.keysOf(name), jobId, runAt.getTime())) return true;
    }
    return false;
  }

  async redriveAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const requests = this.#queues.cancelRequestsOf(jobName);
    return redriveJobs(await this.#queues.client, this.#queues.keysOf(jobName), requests, jobIds);
  }

  async redrive(jobId: string): Promise<boolean> {
    const client = await this.#queues.client;
    for (const name of await this.#namesWith(jobId)) {
      const requests = this.#queues.cancelRequestsOf(name);
      if (await redriveJob(client, this.#queues.keysOf(name), requests, jobId)) return true;
    }
    return false;
  }
}
