import { setTimeout as pause } from "node:timers/promises";
import { requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { JobBackend, JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import { withDeadline } from "../errors/deadline.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import { requireMs } from "../job/timer.ts";
import { AbortControllerPool } from "./abort-controller-pool.ts";
import { type ExecutionEnd, released } from "./execution-end.ts";
import { JobExecution } from "./job-execution.ts";
import type { JobWorker, StopOptions, WorkerReport } from "./job-worker.ts";
import type { KnownExecutions } from "./known-executions.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { Poller } from "./poller.ts";
import { Settler } from "./settler.ts";

/** What a worker needs of its engine. */
export interface WorkerSetUp<Job extends LeasedJob> {
  readonly backend: JobBackend<Job>;
  readonly consumer: JobConsumer<Job>;
  readonly jobs: ReadonlyMap<string, AnyDurableJob>;
  readonly concurrency: number;
  readonly runner: ObservedJobRunner;
  /** Of all workers of the engine. */
  readonly known: KnownExecutions<Job>;
  readonly onError: (error: unknown) => void;
  /** Called once, when the worker has stopped. */
  readonly onStopped: () => void;
}

/** Waiting for a server on the way out, in all. */
const handBackMs = 5_000;

/** The least time for the last of what waits for a server, also if all the others took too long. */
const closeConsumerMs = 500;

/** Slots that a poller fills, leases that a timer renews, and deliveries in between. */
export class DurableWorker<Job extends LeasedJob> implements JobWorker {
  readonly #setUp: WorkerSetUp<Job>;
  readonly #stopping = new AbortController();
  readonly #running = new Set<JobExecution<Job>>();
  readonly #counts = {
    started: 0,
    succeeded: 0,
    retried: 0,
    deadLettered: 0,
    cancelled: 0,
    interrupted: 0,
    abandoned: 0,
  };
  readonly #controllers = new AbortControllerPool();
  readonly #leases: LeaseKeeper<Job>;
  readonly #settler: Settler<Job>;
  readonly #poller: Poller<Job>;
  #stopped: Promise<WorkerReport> | undefined;

  constructor(setUp: WorkerSetUp<Job>) {
    this.#setUp = setUp;
    const { signal: stopping } = this.#stopping;
    const { consumer, backend, runner, known, concurrency, onError } = setUp;
    this.#leases = new LeaseKeeper(consumer, backend.leaseMs, this.#running, onError);
    this.#settler = new Settler({
      ...{ consumer, runner, known, stopping, onError },
      leases: this.#leases,
      counts: this.#counts,
    });
    this.#poller = new Poller({
      ...{ consumer, concurrency, stopping, onError },
      deliver: (job, freeSlot) => this.#deliver(job, freeSlot),
    });
  }

  /** Asks a running job to end. Returns whether it runs here. */
  cancel(jobId: string): boolean {
    const here = [...this.#running].filter(({ job }) => job.id === jobId);
    for (const execution of here) execution.cancel();
    return here.length > 0;
  }

  /** One delivery from its arrival until the engine has recorded its end. Resolves to a further job for the same slot. */
  async #deliver(job: Job, freeSlot: () => void): Promise<Job | undefined> {
    const { backend, consumer, known } = this.#setUp;
    const execution = new JobExecution(job, backend.name, backend.queueOf(job.name), this.#controllers);
    const earlier = known.add(execution);
    this.#running.add(execution);
    try {
      execution.end(this.#endingWithoutRun(execution, earlier) ?? (await this.#run(execution, earlier)));
      if (consumer.settleAndFetch === undefined) freeSlot();
      return execution.isAbandoned ? undefined : await this.#settler.settle(execution);
    } finally {
      this.#running.delete(execution);
      known.remove(execution);
    }
  }

  #endingWithoutRun(
    execution: JobExecution<Job>,
    earlier: JobExecution<Job> | undefined,
  ): ExecutionEnd | undefined {
    const { jobs, onError } = this.#setUp;
    const { name } = execution.job;
    if (!jobs.has(name)) {
      onError(new Error(`a job named "${name}" came, which was not asked for`));
      return released;
    }
    this.#settler.tellStalled(execution);
    // Whatever is said of the job, its handler runs here, or has run.
    if (earlier !== undefined) return undefined;
    return this.#stopping.signal.aborted ? released : execution.endingWithoutRun();
  }

  async #run(execution: JobExecution<Job>, earlier: JobExecution<Job> | undefined): Promise<ExecutionEnd> {
    const definition = this.#setUp.jobs.get(execution.job.name) as AnyDurableJob;
    if (earlier !== undefined) return execution.adopt(earlier, definition);
    this.#counts.started++;
    const ending = await execution.run(definition, this.#setUp.runner);
    if (ending === released && !execution.isAbandoned) this.#counts.interrupted++;
    return ending;
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
    this.#stopping.abort();
    await this.#until(() => this.#running.size === 0, graceMs);
    for (const execution of this.#running) execution.interrupt();
    await this.#until(() => this.#running.size === 0, abortMs);
    await this.#handBack();
    this.#leases.stop();
    this.#settler.stop();
    this.#setUp.onStopped();
    return { ...this.#counts };
  }

  /** Gives back to the server what did not end here, in bounded time. */
  async #handBack(): Promise<void> {
    const endMs = performance.now() + handBackMs;
    const leftMs = (): number => Math.max(0, Math.round(endMs - performance.now()));
    await this.#bounded(() => this.#poller.ended, leftMs(), "a worker's last fetch");
    // What that fetch has brought is on its way back.
    const isGoingBack = ({ ending }: JobExecution<Job>): boolean => ending === released;
    await this.#until(() => ![...this.#running].some(isGoingBack), leftMs());
    const rest = [...this.#running].filter(({ supersededBy }) => supersededBy === undefined);
    const abandon = (): Promise<unknown> =>
      Promise.all(rest.map((execution) => this.#settler.abandon(execution)));
    await this.#bounded(abandon, leftMs(), "releasing what still runs");
    const close = (): Promise<void> => this.#setUp.consumer.close();
    await this.#bounded(close, Math.max(closeConsumerMs, leftMs()), "closing a worker's consumer");
  }

  /** Waits for the server, and reports an unreachable one. */
  async #bounded(work: () => Promise<unknown>, withinMs: number, operation: string): Promise<void> {
    try {
      await withDeadline(work(), withinMs, "the server", operation);
    } catch (error) {
      this.#setUp.onError(error);
    }
  }

  async #until(isTrue: () => boolean, withinMs: number): Promise<void> {
    const endMs = performance.now() + withinMs;
    while (!isTrue() && performance.now() < endMs) {
      await pause(Math.min(10, Math.max(0, endMs - performance.now())));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
