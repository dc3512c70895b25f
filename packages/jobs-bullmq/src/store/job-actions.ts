import { cancelJob, namesWithJob, redriveJob } from "../bullmq-internals/index.ts";
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

  async cancel(jobId: string): Promise<boolean> {
    const client = await this.#queues.client;
    for (const name of await this.#namesWith(jobId)) {
      const keys = {
        queue: this.#queues.keysOf(name),
        requests: this.#queues.cancelRequestsOf(name),
        cancellations: this.#queues.cancellationsOf(name),
        retainedMs: this.#retainedMs,
      };
      if (await cancelJob(client, keys, jobId)) return true;
    }
    return false;
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
