import { requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { ObservedJobRunner, WorkerHealth } from "@nidus/jobs-observe";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import type { JobOutcome } from "../backend/job-outcome.ts";
import { DurableWorker } from "../execution/durable-worker.ts";
import type { JobWorker, WorkOptions } from "../execution/job-worker.ts";
import { KnownExecutions } from "../execution/known-executions.ts";
import type { WatchedStore } from "../execution/worker-watch.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { BoundedBackend } from "./bounded-backend.ts";
import { CheckedConsumer } from "./checked-consumer.ts";
import { requireJobs } from "./validation.ts";

/** The parts of an engine that its workers use. */
export interface WorkersSetUp<Job extends LeasedJob, Options extends EnqueueOptions> {
  /** The engine's name in deliveries. */
  readonly engine: string;
  readonly backend: JobBackend<Job, Options>;
  readonly store: BoundedBackend<Job, Options>;
  readonly storeHealth: WatchedStore;
  readonly runner: ObservedJobRunner;
  readonly bookkeeping: Bookkeeping;
  readonly onError: (error: unknown) => void;
  /** Called with each outcome that the store has recorded. */
  readonly onRecorded: (jobId: string, outcome: JobOutcome) => void;
  /** Tells the observers of a job that runs will come of. */
  readonly declare: (job: AnyDurableJob) => void;
}

/** The workers of an engine. */
export class Workers<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly #setUp: WorkersSetUp<Job, Options>;
  readonly #workers = new Set<DurableWorker<Job>>();
  readonly #known = new KnownExecutions<Job>();
  #isStopping = false;

  constructor(setUp: WorkersSetUp<Job, Options>) {
    this.#setUp = setUp;
  }

  async start(options: WorkOptions): Promise<JobWorker> {
    requireKnownKeys("the options of `work`", options, ["jobs", "concurrency"]);
    const { jobs, concurrency = 1 } = options;
    requireJobs(jobs);
    requireWholeNumber("`concurrency`", concurrency);
    const { engine, backend, storeHealth, runner, bookkeeping, onError, onRecorded, declare } = this.#setUp;
    const byName = new Map(jobs.map((job) => [job.name, job]));
    const consumer = await this.#openConsumer([...byName.keys()]);
    for (const job of jobs) declare(job);
    const setUp = {
      engine,
      backend,
      store: storeHealth,
      consumer,
      jobs: byName,
      concurrency,
      runner,
      known: this.#known,
      onError,
      onRecorded,
      onStopped: () => this.#workers.delete(worker),
    };
    const worker: DurableWorker<Job> = bookkeeping.begin("work", () => new DurableWorker<Job>(setUp));
    this.#workers.add(worker);
    return worker;
  }

  async #openConsumer(names: readonly string[]): Promise<JobConsumer<Job>> {
    const { store, bookkeeping, onError } = this.#setUp;
    if (this.#isStopping) throw store.closedError();
    const consumer = await store.open(
      (backend) => bookkeeping.run("open", () => backend.consumer(names)),
      (late) => late.close(),
    );
    const checked = new CheckedConsumer(consumer, bookkeeping, store.answers, onError);
    if (!this.#isStopping) return checked;
    consumer.close().catch(onError);
    throw store.closedError();
  }

  /** Cancels a run in this process now, and not when its worker next asks the store. */
  cancel(jobId: string): void {
    for (const worker of this.#workers) worker.cancel(jobId);
  }

  health(): readonly WorkerHealth[] {
    return [...this.#workers].map((worker) => worker.health());
  }

  /** Stops all workers, and starts no more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
  }
}
