import { invalidArgument, requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import {
  combineJobObservers,
  type JobBacklog,
  type JobObserver,
  type ObservedJobRunner,
} from "@nidus/jobs-observe";
import type { FetchedJob, JobBackend, JobSource } from "./backend/job-backend.ts";
import { Bookkeeping, BookkeepingSource } from "./bookkeeping.ts";
import { BoundedBackend } from "./bounded-backend.ts";
import type {
  AnyDurableJob,
  DeadLetter,
  DeadLetterOptions,
  EngineCapabilities,
  EnqueuedJob,
  EnqueueOptions,
  JobEngine,
  JobStats,
  JobWithPayload,
  ScheduleOptions,
} from "./engine.ts";
import { insertInSlices } from "./insert-in-slices.ts";
import { JobRecords } from "./job-records.ts";
import { backlogFrom, deadLettersFrom, statsFrom } from "./stats.ts";
import { neverThrowing, throttledWarning } from "./throttled-warning.ts";
import {
  isJobId,
  requireCronFields,
  requireEngineOptions,
  requireJobs,
  requireSchedules,
  requireTimeZone,
} from "./validation.ts";
import { DurableWorker } from "./worker/durable-worker.ts";
import type { JobWorker, WorkOptions } from "./worker/job-worker.ts";
import { KnownDeliveries } from "./worker/known-deliveries.ts";

/** What all engines are given. */
export interface DurableEngineOptions {
  /** Every delivery runs through it, and its observers hear of what is enqueued and settled. */
  readonly runner: ObservedJobRunner;
  /** Hears of what goes wrong where no call of yours waits for it: polling, settling, renewing leases. @default one process warning a minute */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Milliseconds that a call waits for the server. @default 10,000 */
  readonly answerWithinMs?: number | undefined;
}

/** A JobEngine on a backend: what all engines have in common. */
export class DurableEngine<Job extends FetchedJob, Options extends EnqueueOptions = EnqueueOptions>
  implements JobEngine
{
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  readonly #backend: JobBackend<Job, Options>;
  readonly #store: BoundedBackend<Job, Options>;
  readonly #runner: ObservedJobRunner;
  readonly #onError: (error: unknown) => void;
  readonly #records: JobRecords;
  readonly #bookkeeping: Bookkeeping;
  readonly #workers = new Set<DurableWorker<Job>>();
  readonly #known = new KnownDeliveries<Job>();
  #starting: Promise<this> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws TypeError or RangeError for an option that is not as documented, or not known. */
  constructor(backend: JobBackend<Job, Options>, options: DurableEngineOptions) {
    requireEngineOptions(options);
    const { runner, onError = throttledWarning(), answerWithinMs = 10_000 } = options;
    this.#backend = backend;
    this.#runner = runner;
    this.#onError = neverThrowing(onError);
    this.#store = new BoundedBackend(backend, answerWithinMs, this.#onError);
    this.name = backend.name;
    this.capabilities = backend.capabilities;
    this.#records = new JobRecords(backend, runner);
    const bookkeepers: JobObserver[] = [];
    runner.opened({
      engine: this.name,
      backlog: () => this.#backlog(),
      // What is no observer is refused here, within the hook that asked: that is its own error.
      observeBookkeeping: (observer) => void bookkeepers.push(combineJobObservers(observer)),
    });
    this.#bookkeeping = new Bookkeeping(bookkeepers, this.#onError);
  }

  /**
   * Has the backend begin its own work, if it has any; resolves to the engine. May be repeated: the backend is told once.
   *
   * @throws (rejects with) what the backend's `start` does, with the engine closed; EngineUnavailableError if it takes too long;
   * Error if the engine was closed meanwhile.
   */
  start(): Promise<this> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<this> {
    try {
      await this.#store.open(
        (backend) => this.#bookkeeping.run("start", async () => backend.start?.()),
        () => this.#backend.close(),
        this.#backend.startWithinMs,
      );
    } catch (error) {
      this.#store.isClosed = true;
      throw error;
    }
    if (this.#closing !== undefined) throw this.#store.closedError();
    return this;
  }

  async #backlog(): Promise<readonly JobBacklog[] | undefined> {
    if (this.#store.isClosed) return undefined;
    try {
      const ask = (backend: JobBackend<Job, Options>): Promise<readonly JobBacklog[]> =>
        this.#bookkeeping.run("backlog", () => backend.backlog());
      return backlogFrom(await this.#store.ask(ask));
    } catch (error) {
      this.#onError(error);
      throw error;
    }
  }

  async enqueue<Input>(
    job: JobWithPayload<Input>,
    payload: NoInfer<Input>,
    options?: Options,
  ): Promise<EnqueuedJob> {
    const [enqueued] = await this.#insert(job, [payload], options, () => undefined);
    return enqueued as EnqueuedJob;
  }

  async enqueueMany<Input>(
    job: JobWithPayload<Input>,
    payloads: readonly NoInfer<Input>[],
    options?: Options,
  ): Promise<readonly EnqueuedJob[]> {
    if (!Array.isArray(payloads)) throw invalidArgument("`payloads`", "an array", payloads);
    return this.#insert(job, [...payloads], options, (index) => index);
  }

  async #insert<Input>(
    job: JobWithPayload<Input>,
    payloads: readonly Input[],
    options: Options = {} as Options,
    positionOf: (index: number) => number | undefined,
  ): Promise<readonly EnqueuedJob[]> {
    const slices = await this.#records.toEnqueue(job, payloads, options, positionOf);
    return insertInSlices(slices, payloads.length, (jobs) =>
      this.#store.ask((backend) => backend.insert(jobs, options)),
    );
  }

  async schedule<Input>(
    job: JobWithPayload<Input>,
    cron: string,
    payload: NoInfer<Input>,
    options: ScheduleOptions = {},
  ): Promise<void> {
    requireJobs([job]);
    requireCronFields(cron);
    requireKnownKeys("the options of `schedule`", options, ["timeZone", "key"]);
    const { timeZone = "UTC", key } = options;
    requireTimeZone(timeZone);
    requireSchedules(this, key);
    const scheduled = await this.#records.toSchedule(job, payload);
    await this.#store.ask(async (backend) => backend.schedule?.(scheduled, cron, timeZone, key));
    this.#declare(job.name);
  }

  /** Tells the observers of a job that runs will come of, so that its counters are there before. */
  #declare(jobName: string): void {
    this.#runner.declared({ jobName, engine: this.name, queue: this.#backend.queueOf(jobName) });
  }

  async unschedule(job: AnyDurableJob, key?: string): Promise<boolean> {
    requireJobs([job]);
    requireSchedules(this, key);
    return this.#store.ask(async (backend) => (await backend.unschedule?.(job.name, key)) ?? false);
  }

  async work(options: WorkOptions): Promise<JobWorker> {
    requireKnownKeys("the options of `work`", options, ["jobs", "concurrency"]);
    const { jobs, concurrency = 1 } = options;
    requireJobs(jobs);
    requireWholeNumber("`concurrency`", concurrency);
    const byName = new Map(jobs.map((job) => [job.name, job]));
    const source = await this.#openSource([...byName.keys()]);
    for (const { name } of jobs) this.#declare(name);
    const setUp = {
      backend: this.#backend,
      source,
      jobs: byName,
      concurrency,
      runner: this.#runner,
      known: this.#known,
      onError: this.#onError,
      onStopped: () => this.#workers.delete(worker),
    };
    const worker: DurableWorker<Job> = this.#bookkeeping.begin("work", () => new DurableWorker<Job>(setUp));
    this.#workers.add(worker);
    return worker;
  }

  async #openSource(names: readonly string[]): Promise<JobSource<Job>> {
    if (this.#closing !== undefined) throw this.#store.closedError();
    const source = await this.#store.open(
      (backend) => this.#bookkeeping.run("open", () => backend.source(names)),
      (late) => late.close(),
    );
    if (this.#closing === undefined) return new BookkeepingSource(source, this.#bookkeeping);
    source.close().catch(this.#onError);
    throw this.#store.closedError();
  }

  async cancel(jobId: string): Promise<boolean> {
    if (!isJobId(jobId)) return false;
    const isCancelled = await this.#store.ask((backend) => backend.cancel(jobId));
    // What runs in this process need not wait until its lease is renewed.
    for (const worker of this.#workers) worker.cancel(jobId);
    return isCancelled;
  }

  async stats(): Promise<JobStats> {
    return statsFrom(await this.#store.ask((backend) => backend.counts()));
  }

  async deadLetters(options: DeadLetterOptions = {}): Promise<readonly DeadLetter[]> {
    requireKnownKeys("the options of `deadLetters`", options, ["limit"]);
    const { limit = 100 } = options;
    requireWholeNumber("`limit`", limit);
    return deadLettersFrom(await this.#store.ask((backend) => backend.deadLetters(limit)));
  }

  async redrive(jobId: string): Promise<boolean> {
    return isJobId(jobId) && this.#store.ask((backend) => backend.redrive(jobId));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Handlers that finish meanwhile may still enqueue.
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
    await this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
