import type { EnqueuedJob } from "@nidus/jobs-durable";
import type { NewJob } from "@nidus/jobs-durable/backend";
import { holderOfKey, jsonText, readField, throwCommandError } from "../bullmq-internals/index.ts";
import type { BullmqJobOptions } from "./bullmq-job-options.ts";
import type { Queues } from "./queues.ts";
import { dataTextOf, optionsOf, type RetentionSeconds, type StoredData } from "./stored-data.ts";

/** How often a job is stored anew because the job that held its key has ended meanwhile. */
const maxTries = 20;

/** Stores new jobs. */
export class JobInserter {
  readonly #queues: Queues;
  readonly #retention: RetentionSeconds;
  readonly #onError: (error: unknown) => void;

  constructor(queues: Queues, retention: RetentionSeconds, onError: (error: unknown) => void) {
    this.#queues = queues;
    this.#retention = retention;
    this.#onError = onError;
  }

  /** Stores jobs of one name. Resolves to which of them are duplicates. */
  async insert(jobs: readonly NewJob[], options: BullmqJobOptions = {}): Promise<readonly EnqueuedJob[]> {
    const [first] = jobs as [NewJob];
    if (first.uniqueKey !== undefined) return [await this.#insertUnique(first, first.uniqueKey, options)];
    if (first.hasIdempotencyKey) return this.#insertKeyed(jobs, options);
    await this.#add(jobs, options);
    return jobs.map(({ id }) => ({ id, isDuplicate: false }));
  }

  async #insertKeyed(jobs: readonly NewJob[], options: BullmqJobOptions): Promise<readonly EnqueuedJob[]> {
    const [{ name }] = jobs as [NewJob];
    await this.#forgetCancelRequests(name, jobs);
    const nonces = jobs.map(() => crypto.randomUUID());
    await this.#add(jobs, options, nonces);
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

  /** Adds jobs to their queue. Resolves to the id that BullMQ answers for a single job: that of the holder of its key. */
  async #add(
    jobs: readonly NewJob[],
    options: BullmqJobOptions,
    nonces: readonly string[] = [],
  ): Promise<string | undefined> {
    const [{ name }] = jobs as [NewJob];
    const queue = await this.#queues.of(name);
    const now = Date.now();
    const added = jobs.map((job, index) => ({
      name,
      data: jsonText<StoredData>(dataTextOf(job, nonces[index])),
      opts: {
        ...options,
        ...optionsOf(job, this.#retention),
        jobId: job.id,
        timestamp: now,
        delay: Math.max(0, (job.runAt?.getTime() ?? now) - now),
      },
    }));
    const [first] = added as [(typeof added)[number]];
    // Redis gets the name first, over the same connection: a process that sees the jobs finds their name.
    const noting = this.#queues.note([name]).catch(this.#onError);
    const answer = await (added.length === 1
      ? queue.add(first.name, first.data, first.opts)
      : queue.addBulk(added).catch(throwCommandError));
    await noting;
    return Array.isArray(answer) ? undefined : answer.id;
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
