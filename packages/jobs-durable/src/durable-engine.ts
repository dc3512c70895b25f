import { describe, refusal, requireWholeNumber } from "@nidus/jobs-core";
import {
  combineJobObservers,
  type JobBacklog,
  type JobObserver,
  type ObservedJobRunner,
} from "@nidus/jobs-observe";
import type { FetchedJob, JobBackend, JobSource } from "./backend/job-backend.ts";
import { Bookkeeping, BookkeepingSource } from "./bookkeeping.ts";
import { isConnectionError } from "./connection-error.ts";
import { withDeadline } from "./deadline.ts";
import type {
  AnyDurableJob,
  DeadLetter,
  EngineCapabilities,
  EnqueuedJob,
  EnqueueOptions,
  JobEngine,
  JobStats,
  JobWithPayload,
  ScheduleOptions,
} from "./engine.ts";
import { EngineUnavailableError, UnsupportedError } from "./errors.ts";
import { insertInSlices } from "./insert-in-slices.ts";
import { NewJobs } from "./new-jobs.ts";
import { statsFrom } from "./stats.ts";
import { requireEngineOptions, requireJobs, requireText, requireTimeZone } from "./validation.ts";
import { warnNowAndThen } from "./warn-now-and-then.ts";
import type { Delivery } from "./worker/delivery.ts";
import { DurableWorker } from "./worker/durable-worker.ts";
import type { JobWorker, WorkOptions } from "./worker/job-worker.ts";

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
  readonly #runner: ObservedJobRunner;
  readonly #onError: (error: unknown) => void;
  readonly #answerWithinMs: number;
  readonly #newJobs: NewJobs;
  readonly #bookkeeping: Bookkeeping;
  readonly #workers = new Set<DurableWorker<Job>>();
  readonly #inFlight = new Map<string, Delivery<Job>>();
  #starting: Promise<this> | undefined;
  #closing: Promise<void> | undefined;
  #isClosed = false;

  /** @throws TypeError or RangeError for an option that is not as documented. */
  constructor(backend: JobBackend<Job, Options>, options: DurableEngineOptions) {
    requireEngineOptions(options);
    const { runner, onError = warnNowAndThen(), answerWithinMs = 10_000 } = options;
    this.#backend = backend;
    this.#runner = runner;
    this.#onError = (error) => {
      try {
        onError(error);
      } catch {
        // Who listens for errors failed in turn: nobody is left to tell.
      }
    };
    this.#answerWithinMs = answerWithinMs;
    this.name = backend.name;
    this.capabilities = backend.capabilities;
    this.#newJobs = new NewJobs(backend, runner);
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
   * @throws (rejects with) what the backend's `start` does, with the engine closed; Error where it was closed meanwhile.
   */
  start(): Promise<this> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<this> {
    try {
      await this.#bookkeeping.run("start", async () => this.#backend.start?.());
    } catch (error) {
      this.#isClosed = true;
      throw error;
    }
    if (this.#closing !== undefined) throw this.#closedError();
    return this;
  }

  async #backlog(): Promise<readonly JobBacklog[] | undefined> {
    if (this.#isClosed) return undefined;
    try {
      return await this.#ask((backend) => this.#bookkeeping.run("backlog", () => backend.backlog()));
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
    if (!Array.isArray(payloads)) throw refusal("`payloads`", "an array", payloads);
    return this.#insert(job, [...payloads], options, (index) => index);
  }

  async #insert<Input>(
    job: JobWithPayload<Input>,
    payloads: readonly Input[],
    options: Options = {} as Options,
    positionOf: (index: number) => number | undefined,
  ): Promise<readonly EnqueuedJob[]> {
    const slices = await this.#newJobs.toEnqueue(job, payloads, options, positionOf);
    return insertInSlices(slices, payloads.length, (jobs) =>
      this.#ask((backend) => backend.insert(jobs, options)),
    );
  }

  async schedule<Input>(
    job: JobWithPayload<Input>,
    cron: string,
    payload: NoInfer<Input>,
    { timeZone = "UTC", key }: ScheduleOptions = {},
  ): Promise<void> {
    requireJobs([job]);
    requireText("`cron`", cron);
    requireTimeZone(timeZone);
    this.#requireSchedules(key);
    const scheduled = await this.#newJobs.toSchedule(job, payload);
    await this.#ask(async (backend) => backend.schedule?.(scheduled, cron, timeZone, key));
  }

  async unschedule(job: AnyDurableJob, key?: string): Promise<boolean> {
    requireJobs([job]);
    this.#requireSchedules(key);
    return this.#ask(async (backend) => (await backend.unschedule?.(job.name, key)) ?? false);
  }

  #requireSchedules(key: string | undefined): void {
    if (!this.capabilities.schedules) throw new UnsupportedError(`${this.name} has no schedules`);
    if (key === undefined) return;
    requireText("`key`", key);
    if (!this.capabilities.scheduleKeys) {
      throw new UnsupportedError(
        `${this.name} has one schedule per job, and no \`key\` to tell several apart`,
      );
    }
  }

  async work({ jobs, concurrency = 1 }: WorkOptions): Promise<JobWorker> {
    requireJobs(jobs);
    requireWholeNumber("`concurrency`", concurrency);
    const byName = new Map(jobs.map((job) => [job.name, job]));
    const source = await this.#openSource([...byName.keys()]);
    const worker: DurableWorker<Job> = new DurableWorker<Job>({
      backend: this.#backend,
      source,
      jobs: byName,
      concurrency,
      runner: this.#runner,
      inFlight: this.#inFlight,
      onError: this.#onError,
      onStopped: () => this.#workers.delete(worker),
    });
    this.#workers.add(worker);
    return worker;
  }

  async #openSource(names: readonly string[]): Promise<JobSource<Job>> {
    if (this.#closing !== undefined) throw this.#closedError();
    let opening: Promise<JobSource<Job>> | undefined;
    try {
      const source = await this.#ask((backend) => {
        opening = this.#bookkeeping.run("open", () => backend.source(names));
        return opening;
      });
      if (this.#closing !== undefined) throw this.#closedError();
      return new BookkeepingSource(source, this.#bookkeeping);
    } catch (error) {
      // One that comes too late is not to stay open.
      opening?.then(
        (late) => late.close().catch(this.#onError),
        () => {
          // The caller has heard of it.
        },
      );
      throw error;
    }
  }

  async cancel(jobId: string): Promise<boolean> {
    requireText("`jobId`", jobId);
    const isCancelled = await this.#ask((backend) => backend.cancel(jobId));
    // What runs in this process need not wait until its lease is renewed.
    for (const worker of this.#workers) worker.cancel(jobId);
    return isCancelled;
  }

  async stats(): Promise<JobStats> {
    return statsFrom(await this.#ask((backend) => backend.counts()));
  }

  async deadLetters({
    limit = 100,
  }: {
    readonly limit?: number | undefined;
  } = {}): Promise<readonly DeadLetter[]> {
    requireWholeNumber("`limit`", limit);
    return this.#ask((backend) => backend.deadLetters(limit));
  }

  async redrive(jobId: string): Promise<boolean> {
    requireText("`jobId`", jobId);
    return this.#ask((backend) => backend.redrive(jobId));
  }

  /** Asks the backend, for a bounded time. What goes wrong on the way to a server is an EngineUnavailableError. */
  async #ask<T>(question: (backend: JobBackend<Job, Options>) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw this.#closedError();
    const where = `${this.name} at ${this.#backend.address}`;
    try {
      return await withDeadline(question(this.#backend), this.#answerWithinMs, where);
    } catch (error) {
      if (!isConnectionError(error) && !this.#backend.isOutOfReach?.(error)) throw error;
      throw new EngineUnavailableError(`${where} is unreachable (${describe(error)})`, { cause: error });
    }
  }

  #closedError(): Error {
    return new Error(`the ${this.name} engine is closed`);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Handlers that finish meanwhile may still enqueue.
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
    this.#isClosed = true;
    await withDeadline(this.#backend.close(), this.#answerWithinMs, `closing ${this.name}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
