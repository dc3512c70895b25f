import { invalidArgument } from "@nidus/jobs-core/adapter";
import {
  combineJobObservers,
  type EngineHealth,
  type JobObserver,
  type ObservedJobRunner,
} from "@nidus/jobs-observe";
import type { DeadLetter } from "../backend/dead-letter.ts";
import type { EngineCapabilities } from "../backend/engine-capabilities.ts";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob } from "../backend/job-backend.ts";
import type { StoredJob } from "../backend/stored-job.ts";
import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import { neverThrowing, throttledWarning } from "../errors/throttled-warning.ts";
import type { JobWorker, WorkOptions } from "../execution/job-worker.ts";
import type { AnyDurableJob, JobWithPayload } from "../job/durable-job.ts";
import { Bookkeeping } from "./bookkeeping.ts";
import { BoundedBackend } from "./bounded-backend.ts";
import type { EngineOptions } from "./engine-options.ts";
import { requireEngineOptions } from "./engine-options.ts";
import { Enqueuer } from "./enqueuer.ts";
import { JobActions } from "./job-actions.ts";
import type { DeadLetterOptions, JobStats, ResultOptions, StartableEngine } from "./job-engine.ts";
import { JobResults } from "./job-results.ts";
import type {
  JobSchedule,
  ScheduleInterval,
  ScheduleOptions,
  SchedulesQuery,
  UnscheduleOptions,
} from "./job-schedule.ts";
import { JobSchedules } from "./job-schedules.ts";
import type {
  CancelAllQuery,
  JobKey,
  JobLookupOptions,
  JobsPage,
  JobsQuery,
  RedriveAllQuery,
} from "./jobs-query.ts";
import { statsFrom } from "./stats.ts";
import { StoreHealth } from "./store-health.ts";
import { StoreReadings } from "./store-readings.ts";
import { StoredJobs } from "./stored-jobs.ts";
import { Workers } from "./workers.ts";

/** A JobEngine on a backend: what all engines have in common. */
export class DurableEngine<Job extends LeasedJob, Options extends EnqueueOptions = EnqueueOptions>
  implements StartableEngine<Options>
{
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  readonly #backend: JobBackend<Job, Options>;
  readonly #store: BoundedBackend<Job, Options>;
  readonly #runner: ObservedJobRunner;
  readonly #onError: (error: unknown) => void;
  readonly #enqueuer: Enqueuer<Options>;
  readonly #schedules: JobSchedules;
  readonly #bookkeeping: Bookkeeping;
  readonly #storedJobs: StoredJobs<Job, Options>;
  readonly #actions: JobActions<Job, Options>;
  readonly #results: JobResults<Job, Options>;
  readonly #workers: Workers<Job, Options>;
  readonly #storeHealth: StoreHealth<Job, Options>;
  #starting: Promise<this> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws TypeError or RangeError for an option that is not as documented, or not known. */
  constructor(backend: JobBackend<Job, Options>, options: EngineOptions) {
    requireEngineOptions(options);
    const { runner, name = backend.name, answerWithinMs = 10_000 } = options;
    this.#backend = backend;
    this.#runner = runner;
    this.#onError = neverThrowing(options.onError ?? throttledWarning(name));
    this.#store = new BoundedBackend(backend, answerWithinMs, this.#onError);
    this.name = name;
    this.capabilities = backend.capabilities;
    this.#enqueuer = new Enqueuer(backend, name, runner, (jobs, options) =>
      this.#store.insert(jobs, options),
    );
    this.#schedules = new JobSchedules(this, this.#store, this.#enqueuer);
    const reading = { store: this.#store, bookkeeping: () => this.#bookkeeping };
    const readings = new StoreReadings({ ...reading, schedules: this.#schedules, onError: this.#onError });
    this.#storeHealth = new StoreHealth({ ...reading, answerWithinMs });
    const bookkeepers: JobObserver[] = [];
    runner.opened({
      engine: this.name,
      backlog: () => readings.backlog(),
      deadLetters: () => readings.deadLetters(),
      ...(backend.capabilities.schedules && {
        schedules: () => readings.schedules(),
      }),
      health: async () => (this.#store.isClosed ? undefined : this.health()),
      // Refuses a wrong observer here, so that the hook that passed it gets the error.
      observeBookkeeping: (observer) => void bookkeepers.push(combineJobObservers(observer)),
    });
    this.#bookkeeping = new Bookkeeping(bookkeepers, this.#onError);
    this.#storedJobs = new StoredJobs(backend, this.#store);
    this.#actions = new JobActions(backend, this.#store, (jobId) => {
      this.#workers.cancel(jobId);
      this.#results.changed(jobId);
    });
    const shared = { backend, store: this.#store, bookkeeping: this.#bookkeeping, onError: this.#onError };
    this.#results = new JobResults(shared);
    this.#workers = new Workers({
      storeHealth: this.#storeHealth,
      ...shared,
      engine: name,
      runner,
      onRecorded: (jobId, outcome) => this.#results.recorded(jobId, outcome),
      declare: (job) => this.#declare(job),
    });
  }

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

  async enqueue<Input>(
    job: JobWithPayload<Input>,
    payload?: NoInfer<Input>,
    options?: Options,
  ): Promise<EnqueuedJob> {
    this.#store.requireOpen();
    const [enqueued] = await this.#enqueuer.enqueue(job, [payload as Input], options, () => undefined);
    return enqueued as EnqueuedJob;
  }

  async enqueueMany<Input>(
    job: JobWithPayload<Input>,
    payloads: readonly NoInfer<Input>[],
    options?: Options,
  ): Promise<readonly EnqueuedJob[]> {
    if (!Array.isArray(payloads)) throw invalidArgument("`payloads`", "an array", payloads);
    this.#store.requireOpen();
    return this.#enqueuer.enqueue(job, [...payloads], options, (index) => index);
  }

  async schedule<Input>(
    job: JobWithPayload<Input>,
    when: string | ScheduleInterval,
    payload?: NoInfer<Input>,
    options?: ScheduleOptions,
  ): Promise<void> {
    await this.#schedules.schedule(job, when, payload as Input, options);
    this.#declare(job);
  }

  /** Tells the observers of a job that runs will come of, so that its counters are there before. */
  #declare({ name, objectives, maxAttempts, timeoutMs, priority, backoff }: AnyDurableJob): void {
    const options = {
      maxAttempts,
      timeoutMs,
      priority,
      backoff: typeof backoff === "function" ? undefined : backoff,
    };
    const queue = this.#backend.queueOf(name);
    this.#runner.declare({ name, objectives, engine: this.name, queue, options });
  }

  async schedules(query?: SchedulesQuery): Promise<readonly JobSchedule[]> {
    return this.#schedules.schedules(query);
  }

  async unschedule(job: AnyDurableJob | string, options?: UnscheduleOptions): Promise<boolean> {
    return this.#schedules.unschedule(job, options);
  }

  work(options: WorkOptions): Promise<JobWorker> {
    return this.#workers.start(options);
  }

  job(jobOrKey: string | JobKey, options?: JobLookupOptions): Promise<StoredJob | undefined> {
    return this.#storedJobs.job(jobOrKey, options);
  }

  reschedule(jobId: string, runAt: Date): Promise<boolean> {
    return this.#actions.reschedule(jobId, runAt);
  }

  cancelAll(query: CancelAllQuery): Promise<number> {
    return this.#actions.cancelAll(query);
  }

  redriveAll(query?: RedriveAllQuery): Promise<number> {
    return this.#actions.redriveAll(query);
  }

  jobs(query?: JobsQuery): Promise<JobsPage> {
    return this.#storedJobs.jobs(query);
  }

  async health(): Promise<EngineHealth> {
    this.#store.requireOpen();
    return { engine: this.name, ...(await this.#storeHealth.measure()), workers: this.#workers.health() };
  }

  cancel(jobId: string): Promise<boolean> {
    return this.#actions.cancel(jobId);
  }

  result(jobId: string, options?: ResultOptions): Promise<unknown> {
    return this.#results.result(jobId, options);
  }

  async stats(): Promise<JobStats> {
    return statsFrom(await this.#store.counts());
  }

  deadLetters(options?: DeadLetterOptions): Promise<readonly DeadLetter[]> {
    return this.#storedJobs.deadLetters(options);
  }

  redrive(jobId: string): Promise<boolean> {
    return this.#actions.redrive(jobId);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Handlers that finish meanwhile may still enqueue.
    await this.#workers.stop();
    await this.#results.close();
    await this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
