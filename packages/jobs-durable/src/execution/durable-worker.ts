import { requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { ObservedJobRunner, WorkerHealth } from "@nidus/jobs-observe";
import type { JobBackend, JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import type { JobOutcome } from "../backend/job-outcome.ts";
import { outage } from "../job/backoff.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import { requireMs } from "../job/timer.ts";
import { Executor } from "./executor.ts";
import type { JobWorker, StopOptions, WorkerReport } from "./job-worker.ts";
import { type KnownExecutions, RunningExecutions } from "./known-executions.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { Poller } from "./poller.ts";
import { Settler } from "./settler.ts";
import { shutDown } from "./shutdown.ts";
import { Slots } from "./slots.ts";
import { newCounts } from "./worker-counts.ts";
import { type WatchedStore, WorkerWatch } from "./worker-watch.ts";

/** The parts of an engine that its worker uses. */
export interface WorkerSetUp<Job extends LeasedJob> {
  /** The engine's name in deliveries. */
  readonly engine: string;
  readonly backend: JobBackend<Job>;
  readonly store: WatchedStore;
  readonly consumer: JobConsumer<Job>;
  readonly jobs: ReadonlyMap<string, AnyDurableJob>;
  readonly concurrency: number;
  readonly runner: ObservedJobRunner;
  /** Of all workers of the engine. */
  readonly known: KnownExecutions<Job>;
  readonly onError: (error: unknown) => void;
  /** Called with each outcome that the store has recorded. */
  readonly onRecorded: (jobId: string, outcome: JobOutcome) => void;
  /** Called once, when the worker has stopped. */
  readonly onStopped: () => void;
}

/** A poller decides when to fetch, an executor runs the jobs, a lease keeper holds their leases, and a settler records how they ended. */
export class DurableWorker<Job extends LeasedJob> implements JobWorker {
  readonly #setUp: WorkerSetUp<Job>;
  readonly #stopping = new AbortController();
  readonly #running = new RunningExecutions<Job>();
  readonly #counts = newCounts();
  readonly #leases: LeaseKeeper<Job>;
  readonly #settler: Settler<Job>;
  readonly #slots: Slots;
  readonly #poller: Poller;
  readonly #watch: WorkerWatch;
  #stopped: Promise<WorkerReport> | undefined;

  constructor(setUp: WorkerSetUp<Job>) {
    this.#setUp = setUp;
    const { engine, backend, store, consumer, jobs, runner, known, onError, onRecorded } = setUp;
    const shared = { consumer, onError, stopping: this.#stopping.signal };
    const running = this.#running;
    const counts = this.#counts;
    const slots = new Slots(setUp.concurrency);
    this.#slots = slots;
    const watch = new WorkerWatch({
      store,
      slots,
      stopping: this.#stopping.signal,
      running: () => running.size,
      longestWaitMs: Math.max(backend.longestFetchMs ?? 20_000, outage.maxMs),
    });
    this.#watch = watch;
    this.#leases = new LeaseKeeper({
      consumer,
      leaseMs: backend.leaseMs,
      running,
      onError,
      onRenewed: () => watch.answered(),
    });
    this.#settler = new Settler({ ...shared, runner, known, counts, leases: this.#leases, onRecorded });
    const settler = this.#settler;
    const executor = new Executor({
      ...shared,
      engine,
      backend,
      jobs,
      runner,
      known,
      running,
      slots,
      settler,
      counts,
    });
    const { stopping } = shared;
    this.#poller = new Poller({ slots, stopping, watch, onError, fetch: () => executor.fetch() });
  }

  get concurrency(): number {
    return this.#slots.total;
  }

  set concurrency(concurrency: number) {
    this.#slots.total = requireWholeNumber("`concurrency`", concurrency);
  }

  /** Asks a running job to end. Returns whether it runs here. */
  cancel(jobId: string): boolean {
    const here = [...this.#running].filter(({ job }) => job.id === jobId);
    for (const execution of here) execution.cancel();
    return here.length > 0;
  }

  health(): WorkerHealth {
    return this.#watch.health();
  }

  stop(options: StopOptions = {}): Promise<WorkerReport> {
    requireKnownKeys("the options of `stop`", options, ["graceMs", "abortMs"]);
    const { graceMs = 30_000, abortMs = 5_000 } = options;
    requireMs("`graceMs`", graceMs);
    requireMs("`abortMs`", abortMs);
    this.#stopped ??= this.#stop(graceMs, abortMs);
    return this.#stopped;
  }

  async #stop(graceMs: number, abortMs: number): Promise<WorkerReport> {
    const { consumer, onError, onStopped } = this.#setUp;
    this.#stopping.abort();
    const parts = { consumer, poller: this.#poller, settler: this.#settler, running: this.#running, onError };
    await shutDown(parts, graceMs, abortMs);
    this.#leases.stop();
    this.#watch.stop();
    this.#settler.stop();
    onStopped();
    return { ...this.#counts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
