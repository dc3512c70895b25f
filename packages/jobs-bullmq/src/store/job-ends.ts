import type { AwaitedJob, JobEnd } from "@nidus/jobs-durable/backend";
import { QueueEvents } from "bullmq";
import { readEndsOfJobs, resultTextFrom, type StoredEnd } from "../bullmq-internals/index.ts";
import type { Queues } from "./queues.ts";

/** Reads how jobs have ended, and hears of it from BullMQ. */
export class JobEnds {
  readonly #queues: Queues;
  readonly #onError: (error: unknown) => void;

  constructor(queues: Queues, onError: (error: unknown) => void) {
    this.#queues = queues;
    this.#onError = onError;
  }

  async read(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]> {
    const client = await this.#queues.client;
    const known = new Set(jobs.map(({ jobName }) => jobName));
    const names = known.has(undefined) ? await this.#queues.names() : ([...known] as string[]);
    const queues = names.map((jobName) => ({
      jobName,
      keys: this.#queues.keysOf(jobName),
      cancellations: this.#queues.cancellationsOf(jobName),
    }));
    return (await readEndsOfJobs(client, this.#queues.namesKey, queues, jobs)).map(endFrom);
  }

  /** Listens to the events of a queue, over a connection of its own. */
  async watch(queueName: string, onEnd: (jobId: string) => void): Promise<() => Promise<void>> {
    const events = new QueueEvents(queueName, {
      connection: await this.#queues.connection(),
      prefix: this.#queues.prefix,
      skipVersionCheck: true,
    });
    events.on("error", this.#onError);
    const tell = ({ jobId }: { readonly jobId: string }): void => onEnd(jobId);
    events.on("completed", tell);
    events.on("failed", tell);
    events.on("removed", tell);
    const close = (): Promise<void> => events.close();
    try {
      await events.waitUntilReady();
    } catch (error) {
      await close().catch(() => {});
      throw error;
    }
    return close;
  }
}

function endFrom({ jobName, state, text }: StoredEnd): JobEnd {
  switch (state) {
    case "completed":
      return { state: "succeeded", resultText: resultTextFrom(text) };
    case "failed":
      return { state: "dead-lettered", error: text || "unknown" };
    case "pending":
      return { state, jobName: jobName as string };
    default:
      return { state };
  }
}
