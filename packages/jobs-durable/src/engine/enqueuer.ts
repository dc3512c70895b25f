import { setImmediate as nextTurn } from "node:timers/promises";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import { envelopeWriter } from "../backend/envelope.ts";
import type { JobBackend, NewJob } from "../backend/job-backend.ts";
import { idFromKey, newJobId } from "../backend/job-id.ts";
import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import { EnqueuedInPartError, UnsupportedError } from "../errors/errors.ts";
import type { JobWithPayload } from "../job/durable-job.ts";
import { requireJsonb } from "../job/payload.ts";
import { type EnqueueOptionsCheck, enqueueOptionsCheck } from "./enqueue-validation.ts";
import { requireDurableJob, requireUniqueKeys } from "./validation.ts";

/** The part of a backend that decides how a job is made. */
type Store = Pick<JobBackend, "name" | "capabilities" | "enqueueOptions" | "queueOf">;

/** Limits of one `insert`. Few jobs at once keep other calls on the connection from waiting long. */
const sliceJobs = 500;
const sliceCharacters = 4 * 1024 * 1024;

/** Makes the jobs that an engine stores for `enqueue` and `schedule`, and stores those of `enqueue`. */
export class Enqueuer<Options extends EnqueueOptions> {
  readonly #store: Store;
  readonly #engine: string;
  readonly #runner: ObservedJobRunner;
  readonly #insert: (jobs: readonly NewJob[], options: Options) => Promise<readonly EnqueuedJob[]>;
  readonly #checkOptions: EnqueueOptionsCheck;

  constructor(
    store: Store,
    engine: string,
    runner: ObservedJobRunner,
    insert: (jobs: readonly NewJob[], options: Options) => Promise<readonly EnqueuedJob[]>,
  ) {
    this.#store = store;
    this.#engine = engine;
    this.#runner = runner;
    this.#insert = insert;
    this.#checkOptions = enqueueOptionsCheck(store.enqueueOptions);
  }

  /**
   * Makes one job per payload, tells the observers of all of them, and stores them slice by slice. Resolves to all jobs, in their order.
   * `positionOf` tells the jobs of one idempotency key apart.
   *
   * @throws (rejects with) TypeError or RangeError for what is not as documented; UnsupportedError for what the store cannot; what the
   * insert of the first slice does; later, EnqueuedInPartError.
   */
  async enqueue<Input>(
    job: JobWithPayload<Input>,
    payloads: readonly Input[],
    options: Options | undefined,
    positionOf: (index: number) => number | undefined,
  ): Promise<readonly EnqueuedJob[]> {
    requireDurableJob(job);
    if (
      (options as { db?: unknown } | null | undefined)?.db !== undefined &&
      !this.#store.capabilities.transactions
    ) {
      throw new UnsupportedError(`${this.#store.name} cannot enqueue within a transaction of yours (\`db\`)`);
    }
    const checked = options === undefined ? {} : this.#checkOptions(options);
    const { runAt, idempotencyKey, uniqueKey, uniqueForMs, correlationId, retainMs } = checked;
    const { maxAttempts = job.maxAttempts, priority = job.priority } = checked;
    this.#requireCapabilities(priority, uniqueKey);
    if (uniqueKey !== undefined && payloads.length > 1) {
      throw new TypeError(`expected one payload with \`uniqueKey\`, got ${payloads.length}`);
    }
    // A Date can be changed, and encoding may wait.
    const startAt = runAt && new Date(runAt);
    const texts = await Promise.all(payloads.map((payload) => job.encode(payload)));
    for (const text of texts) this.#requireStorable(text);
    if (texts.length === 0) return [];
    const jobIds = texts.map((_, index) =>
      idempotencyKey === undefined ? newJobId() : idFromKey(job.name, idempotencyKey, positionOf(index)),
    );
    const carrier: Record<string, string> = {};
    this.#runner.enqueued({
      jobName: job.name,
      engine: this.#engine,
      queue: this.#store.queueOf(job.name),
      count: payloads.length,
      jobIds: Object.freeze(jobIds),
      correlationId,
      payloadBytes: texts.length === 1 && texts[0] !== undefined ? Buffer.byteLength(texts[0]) : undefined,
      carrier,
    });
    const envelopeOf = envelopeWriter(carrier, checked);
    const jobOf = (text: string | undefined, index: number): NewJob => ({
      id: jobIds[index] as string,
      name: job.name,
      envelopeText: envelopeOf(text),
      runAt: startAt,
      maxAttempts,
      hasIdempotencyKey: idempotencyKey !== undefined,
      priority,
      uniqueKey,
      uniqueForMs,
      retainMs,
    });
    const given = options ?? ({} as Options);
    return texts.length === 1
      ? (await this.#insert([jobOf(texts[0], 0)], given)).map(enqueuedFrom)
      : this.#insertInSlices(texts, jobOf, given);
  }

  /** Makes and inserts slice after slice, and gives the event loop a turn between two. */
  async #insertInSlices(
    texts: readonly (string | undefined)[],
    jobOf: (text: string | undefined, index: number) => NewJob,
    options: Options,
  ): Promise<readonly EnqueuedJob[]> {
    const enqueued: EnqueuedJob[] = [];
    while (enqueued.length < texts.length) {
      const start = enqueued.length;
      if (start > 0) await nextTurn();
      const slice = texts.slice(start, endOfSlice(texts, start));
      const jobs = slice.map((text, index) => jobOf(text, start + index));
      try {
        enqueued.push(...(await this.#insert(jobs, options)).map(enqueuedFrom));
      } catch (error) {
        const part = EnqueuedInPartError.isInstance(error) ? error : undefined;
        if (part === undefined && start === 0) throw error;
        const known = [...enqueued, ...(part?.jobs ?? [])];
        throw new EnqueuedInPartError(
          texts.map((_, index) => known[index]),
          part === undefined ? error : part.cause,
        );
      }
    }
    return enqueued;
  }

  #requireCapabilities(priority: number, uniqueKey: string | undefined): void {
    if (priority !== 0 && !this.#store.capabilities.priorities) {
      throw new UnsupportedError(`${this.#store.name} has no priorities`);
    }
    if (uniqueKey !== undefined) requireUniqueKeys(this.#store);
  }

  /** The job that a schedule stores each time. @throws (rejects with) TypeError for a payload that cannot be stored. */
  async toSchedule<Input>(job: JobWithPayload<Input>, payload: Input): Promise<NewJob> {
    const { maxAttempts, priority } = job;
    this.#requireCapabilities(priority, undefined);
    const text = await job.encode(payload);
    this.#requireStorable(text);
    return {
      id: newJobId(),
      name: job.name,
      envelopeText: envelopeWriter({})(text),
      runAt: undefined,
      maxAttempts,
      hasIdempotencyKey: false,
      priority,
      uniqueKey: undefined,
      uniqueForMs: undefined,
      retainMs: undefined,
    };
  }

  #requireStorable(text: string | undefined): void {
    if (text !== undefined && !this.#store.capabilities.nullCharacters) requireJsonb(text);
  }
}

/** Backends may answer more. */
function enqueuedFrom({ id, isDuplicate }: EnqueuedJob): EnqueuedJob {
  return { id, isDuplicate };
}

/** Returns the index after the last payload of a slice. */
function endOfSlice(texts: readonly (string | undefined)[], start: number): number {
  let characters = 0;
  let end = start;
  while (end < texts.length && end < start + sliceJobs && characters < sliceCharacters) {
    characters += texts[end++]?.length ?? 0;
  }
  return end;
}
