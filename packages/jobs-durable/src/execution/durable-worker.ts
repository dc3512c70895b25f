import { requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { JobBackend, JobConsumer, JobOutcome, LeasedJob } from "../backend/job-backend.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import { requireMs } from "../job/timer.ts";
import { Executor } from "./executor.ts";
import type { JobExecution } from "./job-execution.ts";
import type { JobWorker, StopOptions, WorkerReport } from "./job-worker.ts";
import type { KnownExecutions } from "./known-executions.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { Poller } from "./poller.ts";
import { Settler } from "./settler.ts";
import { shutDown } from "./shutdown.ts";
import { Slots } from "./slots.ts";
import { newCounts } from "./worker-counts.ts";

/** The parts of an engine that its worker uses. */
export interface WorkerSetUp<Job extends LeasedJob> {
  /** The engine's name in deliveries. */
  readonly engine: string;
  readonly backend: JobBackend<Job>;
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

/** A poller fills slots, an executor runs what is in them, a lease keeper holds it, and a settler records how it ended. */
export class DurableWorker<Job extends LeasedJob> implements JobWorker {
  readonly #setUp: WorkerSetUp<Job>;
  readonly #stopping = new AbortController();
  readonly #running = new Set<JobExecution<Job>>();
  readonly #counts = newCounts();
  readonly #leases: LeaseKeeper<Job>;
  readonly #settler: Settler<Job>;
  readonly #poller: Poller<Job>;
  #stopped: Promise<WorkerReport> | undefined;

  constructor(setUp: WorkerSetUp<Job>) {
    this.#setUp = setUp;
    const { engine, backend, consumer, jobs, runner, known, onError, onRecorded } = setUp;
    const shared = { consumer, onError, stopping: this.#stopping.signal };
    const running = this.#running;
    const counts = this.#counts;
    this.#leases = new LeaseKeeper(consumer, backend.leaseMs, running, onError);
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
      settler,
      counts,
    });
    const slots = new Slots(setUp.concurrency);
    this.#poller = new Poller({ ...shared, slots, execute: (job, slot) => executor.execute(job, slot) });
  }

  /** Asks a running job to end. Returns whether it runs here. */
  cancel(jobId: string): boolean {
    const here = [...this.#running].filter(({ job }) => job.id === jobId);
    for (const execution of here) execution.cancel();
    return here.length > 0;
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
    const [poller, settler, running] = [this.#poller, this.#settler, this.#running];
    this.#stopping.abort();
    await shutDown({ consumer, poller, settler, running, onError }, graceMs, abortMs);
    this.#leases.stop();
    settler.stop();
    onStopped();
    return { ...this.#counts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
