import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import { envelopeWriter } from "../backend/envelope.ts";
import type { JobBackend, NewJob } from "../backend/job-backend.ts";
import { idFromKey, newJobId } from "../backend/job-id.ts";
import { UnsupportedError } from "../errors/errors.ts";
import type { JobWithPayload } from "../job/durable-job.ts";
import { requireJsonb } from "../job/payload.ts";
import { requireEnqueueOptions } from "./enqueue-validation.ts";
import { requireJobs } from "./validation.ts";

/** The part of a backend that decides how a job is made. */
type Store = Pick<JobBackend, "name" | "capabilities" | "enqueueOptions" | "queueOf">;

/** Limits of one `insert`. Few jobs at once keep other calls on the connection from waiting long. */
const sliceJobs = 500;
const sliceCharacters = 4 * 1024 * 1024;

/** Makes the jobs that an engine stores for `enqueue` and `schedule`. */
export class NewJobFactory {
  readonly #store: Store;
  readonly #engine: string;
  readonly #runner: ObservedJobRunner;

  constructor(store: Store, engine: string, runner: ObservedJobRunner) {
    this.#store = store;
    this.#engine = engine;
    this.#runner = runner;
  }

  /**
   * Makes one job per payload, in slices that a store takes at once, after the observers have heard of all of them. `positionOf`
   * tells the jobs of one idempotency key apart.
   *
   * @throws (rejects with) TypeError or RangeError for what is not as documented; UnsupportedError for what the store cannot.
   */
  async toEnqueue<Input>(
    job: JobWithPayload<Input>,
    payloads: readonly Input[],
    options: EnqueueOptions,
    positionOf: (index: number) => number | undefined,
  ): Promise<Iterable<readonly NewJob[]>> {
    requireJobs([job]);
    if ((options as { db?: unknown } | null)?.db !== undefined && !this.#store.capabilities.transactions) {
      throw new UnsupportedError(`${this.#store.name} cannot enqueue within a transaction of yours (\`db\`)`);
    }
    const checked = requireEnqueueOptions(options, this.#store.enqueueOptions);
    const { runAt, idempotencyKey, uniqueKey, uniqueForMs, correlationId, retainMs } = checked;
    const { maxAttempts = job.maxAttempts, priority = job.priority } = checked;
    this.#requireCapabilities(priority, uniqueKey);
    if (uniqueKey !== undefined && payloads.length > 1) {
      throw new TypeError(`expected one payload with \`uniqueKey\`, got ${payloads.length}`);
    }
    // A Date can be changed, and encoding may wait.
    const startAt = runAt && new Date(runAt);
    const texts = await Promise.all(payloads.map((payload) => this.#encode(job, payload)));
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
    return slicesOf(texts, (text, index) => ({
      id: jobIds[index] as string,
      name: job.name,
      envelopeText: envelopeOf(text),
      runAt: startAt,
      maxAttempts,
      hasIdempotencyKey: idempotencyKey !== undefined,
      ...{ priority, uniqueKey, uniqueForMs, retainMs },
    }));
  }

  #requireCapabilities(priority: number, uniqueKey: string | undefined): void {
    const { name, capabilities } = this.#store;
    if (priority !== 0 && !capabilities.priorities) throw new UnsupportedError(`${name} has no priorities`);
    if (uniqueKey !== undefined && !capabilities.uniqueKeys) {
      throw new UnsupportedError(`${name} has no unique keys`);
    }
  }

  /** The job that a schedule stores each time. @throws (rejects with) TypeError for a payload that cannot be stored. */
  async toSchedule<Input>(job: JobWithPayload<Input>, payload: Input): Promise<NewJob> {
    const { maxAttempts, priority } = job;
    this.#requireCapabilities(priority, undefined);
    return {
      id: newJobId(),
      name: job.name,
      envelopeText: envelopeWriter({})(await this.#encode(job, payload)),
      runAt: undefined,
      maxAttempts,
      hasIdempotencyKey: false,
      priority,
      ...{ uniqueKey: undefined, uniqueForMs: undefined, retainMs: undefined },
    };
  }

  async #encode<Input>(job: JobWithPayload<Input>, payload: Input): Promise<string | undefined> {
    const text = await job.encode(payload);
    if (text !== undefined && !this.#store.capabilities.nullCharacters) requireJsonb(text);
    return text;
  }
}

/** Makes a slice of jobs when it is asked for it. */
function* slicesOf(
  texts: readonly (string | undefined)[],
  jobOf: (text: string | undefined, index: number) => NewJob,
): Iterable<readonly NewJob[]> {
  let slice: NewJob[] = [];
  let characters = 0;
  for (const [index, text] of texts.entries()) {
    slice.push(jobOf(text, index));
    characters += text?.length ?? 0;
    if (slice.length < sliceJobs && characters < sliceCharacters) continue;
    yield slice;
    slice = [];
    characters = 0;
  }
  if (slice.length > 0) yield slice;
}
