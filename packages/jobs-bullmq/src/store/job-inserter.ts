import { EnqueuedInPartError, type EnqueuedJob } from "@nidus/jobs-durable";
import { haveSameOptions, type NewJob } from "@nidus/jobs-durable/backend";
import type { JobsOptions } from "bullmq";
import { holderOfKey, readField } from "../bullmq-internals/index.ts";
import type { BullmqJobOptions } from "./bullmq-job-options.ts";
import type { Queues } from "./queues.ts";
import { optionsOf, type RetentionSeconds } from "./stored-data.ts";

/** How often a job is stored anew because the job that held its key has ended meanwhile. */
const maxTries = 20;

/** Stores new jobs. */
export class JobInserter {
  readonly #queues: Queues;
  readonly #retention: RetentionSeconds;

  constructor(queues: Queues, retention: RetentionSeconds) {
    this.#queues = queues;
    this.#retention = retention;
  }

  /** Stores jobs of one name. Resolves to which of them are duplicates. */
  async insert(jobs: readonly NewJob[], options: BullmqJobOptions = {}): Promise<readonly EnqueuedJob[]> {
    const [first] = jobs as [NewJob];
    if (first.uniqueKey !== undefined) return [await this.#insertUnique(first, first.uniqueKey, options)];
    if (first.hasIdempotencyKey) return this.#insertKeyed(jobs, options);
    await this.#addAll(jobs, options);
    return jobs.map(({ id }) => ({ id, isDuplicate: false }));
  }

  async #insertKeyed(jobs: readonly NewJob[], options: BullmqJobOptions): Promise<readonly EnqueuedJob[]> {
    const [{ name }] = jobs as [NewJob];
    await this.#forgetCancelRequests(name, jobs);
    const nonces = jobs.map(() => crypto.randomUUID());
    await this.#addAll(jobs, options, nonces);
    // BullMQ gives the same answer for a duplicate: only the stored data tell the two apart.
    const ids = jobs.map(({ id }) => id);
    const stored = await readField(await this.#queues.client, this.#queues.keysOf(name), ids, "data");
    return jobs.map(({ id }, index) => {
      const isStored = stored[index] == null || stored[index].includes(`"nonce":"${nonces[index]}"`);
      return { id, isDuplicate: !isStored };
    });
  }

  /** Stores a job whose key no other job holds. Otherwise resolves to the job that holds the key. */
  async #insertUnique(job: NewJob, uniqueKey: string, options: BullmqJobOptions): Promise<EnqueuedJob> {
    for (let tries = 1; ; tries++) {
      const id = await this.#add([job], options);
      if (id === job.id) return { id, isDuplicate: false };
      const holder = await this.holderOf(job.name, uniqueKey);
      if (holder !== undefined) return { id: holder, isDuplicate: true };
      if (tries === maxTries) throw new Error("Redis stored neither the job nor another one with its key");
    }
  }

  /** Resolves to the id of the job that holds a unique key. */
  async holderOf(jobName: string, uniqueKey: string): Promise<string | undefined> {
    return holderOfKey(await this.#queues.client, this.#queues.keysOf(jobName), uniqueKey);
  }

  /** Adds jobs, those in succession with the same options at once. The engine gives all jobs of a call the same options. */
  async #addAll(
    jobs: readonly NewJob[],
    options: BullmqJobOptions,
    nonces?: readonly string[],
  ): Promise<void> {
    for (let start = 0; start < jobs.length; ) {
      let end = start + 1;
      while (end < jobs.length && haveSameOptions(jobs[start] as NewJob, jobs[end] as NewJob)) end++;
      try {
        const added = end - start === jobs.length ? jobs : jobs.slice(start, end);
        await this.#add(added, options, nonces?.slice(start, end));
      } catch (error) {
        if (start === 0) throw error;
        const stored = jobs.map(({ id }, index) => (index < start ? { id, isDuplicate: false } : undefined));
        throw new EnqueuedInPartError(stored, error);
      }
      start = end;
    }
  }

  /** Adds jobs to their queue. Resolves to the id that BullMQ answers for the first job: that of the holder of its key. */
  async #add(
    jobs: readonly NewJob[],
    options: BullmqJobOptions,
    nonces: readonly string[] = [],
  ): Promise<string | undefined> {
    const [first] = jobs as [NewJob];
    const queue = await this.#queues.of(first.name);
    const bullmqOptions = { ...options, ...optionsOf(first, this.#retention), ...delayUntil(first.runAt) };
    const added = jobs.map((job, index) => ({ id: job.id, dataText: dataTextOf(job, nonces[index]) }));
    return queue.addBatch(first.name, bullmqOptions, added);
  }

  /** Forgets cancel requests for ids whose job is gone, so that a new job of the same id is not cancelled. */
  async #forgetCancelRequests(name: string, jobs: readonly NewJob[]): Promise<void> {
    const client = await this.#queues.client;
    const ids = jobs.map(({ id }) => id);
    const stored = await readField(client, this.#queues.keysOf(name), ids, "timestamp");
    const gone = ids.filter((_, index) => stored[index] === null);
    if (gone.length > 0) await client.hdel(this.#queues.cancelRequestsOf(name), ...gone);
  }
}

function delayUntil(runAt: Date | undefined): Pick<JobsOptions, "timestamp" | "delay"> {
  if (runAt === undefined) return {};
  const timestamp = Date.now();
  return { timestamp, delay: Math.max(0, runAt.getTime() - timestamp) };
}

/** Returns the JSON text of a job's data: its envelope as it is, with what the engine reads beside it. */
function dataTextOf({ envelopeText, runAt }: NewJob, nonce: string | undefined): string {
  if (runAt === undefined && nonce === undefined) return envelopeText;
  const own = JSON.stringify({ runAtMs: runAt?.getTime(), nonce });
  return envelopeText === "{}" ? own : `${envelopeText.slice(0, -1)},${own.slice(1)}`;
}
