import type { StoredJob } from "@nidus/jobs-durable";
import { readStoredJobs } from "../bullmq-internals/index.ts";
import type { Queues } from "./queues.ts";
import { storedJobFrom } from "./stored-job.ts";

/** Looks at the jobs of BullMQ's queues. */
export class StoredJobs {
  readonly #queues: Queues;

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  /** Reads a job, whose queue is that of one of the names. */
  async job(jobId: string, names: readonly string[], withPayload: boolean): Promise<StoredJob | undefined> {
    const client = await this.#queues.client;
    for (const name of names) {
      const [fields] = await readStoredJobs(client, this.#queues.keysOf(name), [jobId], withPayload);
      if (fields !== undefined) return storedJobFrom(name, fields, withPayload);
    }
    return undefined;
  }
}
