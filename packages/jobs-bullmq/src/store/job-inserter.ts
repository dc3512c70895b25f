import { nextTick } from "node:process";
import { EnqueuedInPartError, type EnqueuedJob } from "@nidus/jobs-durable";
import { haveSameOptions, type NewJob } from "@nidus/jobs-durable/backend";
import type { JobsOptions } from "bullmq";
import { type Batch, type BatchQueue, holderOfKey } from "../bullmq-internals/index.ts";
import type { BullmqJobOptions } from "./bullmq-job-options.ts";
import type { Queues } from "./queues.ts";
import { optionsOf, type RetentionSeconds, type StoredData } from "./stored-data.ts";

/** The most that one command adds of jobs that are enqueued one by one. Small jobs do not travel with large ones. */
const maxGatheredJobs = 500;
const maxGatheredCharacters = 64 * 1024;

/** Jobs of one name and of the same options that are enqueued one by one in the same turn of the event loop. */
interface GatheredJobs {
  readonly jobs: NewJob[];
  /** The calls that wait, in the order of the jobs. */
  readonly calls: Call[];
  characters: number;
}

interface Call {
  readonly resolve: (enqueued: readonly EnqueuedJob[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Stores new jobs, in the order of the calls. */
export class JobInserter {
  readonly #queues: Queues;
  readonly #retention: RetentionSeconds;
  /** The jobs that another one of the same name may join. */
  readonly #gathered = new Map<string, GatheredJobs>();
  /** Commands with gathered jobs that have no answer yet. */
  #underWay = 0;

  constructor(queues: Queues, retention: RetentionSeconds) {
    this.#queues = queues;
    this.#retention = retention;
  }

  /** Stores jobs of one name. Resolves to which of them are duplicates. */
  insert(jobs: readonly NewJob[], options?: BullmqJobOptions): Promise<readonly EnqueuedJob[]> {
    const [first] = jobs as [NewJob];
    const { name, hasIdempotencyKey, uniqueKey } = first;
    if (jobs.length === 1 && !hasIdempotencyKey && uniqueKey === undefined && options === undefined) {
      return this.#gather(first);
    }
    // A job that is enqueued later does not join those that were enqueued before.
    this.#gathered.delete(name);
    return new Promise((resolve) => nextTick(() => resolve(this.#addAll(jobs, options))));
  }

  /**
   * Adds a job together with others that are enqueued in the same turn of the event loop. If 50 share a command, an enqueue takes this process
   * a third of the time, and Redis three quarters. They can share it since Redis adds all of them or none: it refuses a job without a key
   * only if it takes none for this queue.
   */
  #gather(job: NewJob): Promise<readonly EnqueuedJob[]> {
    return new Promise((resolve, reject) => {
      const { name, envelopeText } = job;
      let gathered = this.#gathered.get(name);
      if (gathered === undefined || !hasRoom(gathered, job)) {
        gathered = { jobs: [], calls: [], characters: 0 };
        this.#gathered.set(name, gathered);
        // This is before all timers and events, so a call does not wait for others.
        nextTick(this.#send, gathered);
      }
      gathered.jobs.push(job);
      gathered.calls.push({ resolve, reject });
      gathered.characters += envelopeText.length;
    });
  }

  /**
   * Sends gathered jobs: in two commands if Redis has none to work on. Callers mostly enqueue the next jobs when they get an answer. Redis adds
   * the jobs of one command meanwhile. With one command, Redis and this process would wait for each other in turn.
   */
  readonly #send = (gathered: GatheredJobs): void => {
    const { jobs, calls } = gathered;
    const [{ name }] = jobs as [NewJob];
    if (this.#gathered.get(name) === gathered) this.#gathered.delete(name);
    const atOnce = this.#underWay === 0 ? Math.ceil(jobs.length / 2) : jobs.length;
    for (let start = 0; start < jobs.length; start += atOnce) {
      this.#addGathered(jobs.slice(start, start + atOnce), calls.slice(start, start + atOnce));
    }
  };

  #addGathered(jobs: readonly NewJob[], calls: readonly Call[]): void {
    this.#underWay++;
    this.#add(jobs, undefined).then(
      (enqueued) => {
        this.#underWay--;
        for (const [index, call] of calls.entries()) call.resolve([enqueued[index] as EnqueuedJob]);
      },
      (error) => {
        this.#underWay--;
        for (const call of calls) call.reject(error);
      },
    );
  }

  /** Resolves to the id of the job that holds a unique key. */
  async holderOf(jobName: string, uniqueKey: string): Promise<string | undefined> {
    return holderOfKey(await this.#queues.client, this.#queues.keysOf(jobName), uniqueKey);
  }

  /** Adds jobs, those in succession with the same options at once. The engine gives all jobs of a call the same options. */
  async #addAll(
    jobs: readonly NewJob[],
    options: BullmqJobOptions | undefined,
  ): Promise<readonly EnqueuedJob[]> {
    const enqueued: EnqueuedJob[] = [];
    while (enqueued.length < jobs.length) {
      const start = enqueued.length;
      let end = start + 1;
      while (end < jobs.length && haveSameOptions(jobs[start] as NewJob, jobs[end] as NewJob)) end++;
      try {
        enqueued.push(...(await this.#add(jobs.slice(start, end), options)));
      } catch (error) {
        if (start === 0) throw error;
        throw new EnqueuedInPartError(
          jobs.map((_, index) => enqueued[index]),
          error,
        );
      }
    }
    return enqueued;
  }

  /** Adds jobs with the same options to their queue, with one command. No async function, since this runs for every job. */
  #add(jobs: readonly NewJob[], options: BullmqJobOptions | undefined): Promise<readonly EnqueuedJob[]> {
    const [first] = jobs as [NewJob];
    const { name, maxAttempts, priority, retainMs, runAt, uniqueKey, hasIdempotencyKey } = first;
    const isUsual = options === undefined && runAt === undefined && uniqueKey === undefined;
    const batch: Batch = {
      jobs: jobs.map((job) => ({ id: job.id, dataText: dataTextOf(job) })),
      cancelRequests: hasIdempotencyKey ? this.#queues.cancelRequestsOf(name) : undefined,
      uniqueKey,
      shape: isUsual ? `${maxAttempts} ${priority} ${retainMs}` : undefined,
    };
    const optionsOfAll = (): JobsOptions => ({
      ...options,
      ...optionsOf(first, this.#retention),
      ...delayUntil(runAt),
    });
    const add = (queue: BatchQueue<StoredData>): Promise<readonly EnqueuedJob[]> =>
      queue.addBatch(name, optionsOfAll, batch);
    const queue = this.#queues.of(name);
    if (queue instanceof Promise) return queue.then(add);
    try {
      return add(queue);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function hasRoom({ jobs, characters }: GatheredJobs, job: NewJob): boolean {
  return (
    jobs.length < maxGatheredJobs &&
    characters + job.envelopeText.length <= maxGatheredCharacters &&
    haveSameOptions(jobs[0] as NewJob, job)
  );
}

function delayUntil(runAt: Date | undefined): Pick<JobsOptions, "timestamp" | "delay"> {
  if (runAt === undefined) return {};
  const timestamp = Date.now();
  return { timestamp, delay: Math.max(0, runAt.getTime() - timestamp) };
}

/** Returns the JSON text of a job's data: its envelope as it is, with what the engine reads beside it. */
function dataTextOf({ envelopeText, runAt, hasIdempotencyKey }: NewJob): string {
  if (runAt === undefined && !hasIdempotencyKey) return envelopeText;
  const nonce = hasIdempotencyKey ? crypto.randomUUID() : undefined;
  const own = JSON.stringify({ runAtMs: runAt?.getTime(), nonce });
  return envelopeText === "{}" ? own : `${envelopeText.slice(0, -1)},${own.slice(1)}`;
}
