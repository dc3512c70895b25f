import { AsyncResource } from "node:async_hooks";
import { JobError } from "@nidus/jobs-core";
import type { JobProgress, ObservedJobContext, ObservedJobRunner } from "@nidus/jobs-observe";
import { tellProgress } from "@nidus/jobs-observe/adapter";
import type { JobBackend, JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import { resultText } from "../job/result.ts";
import {
  type ExecutionEnd,
  endAfterFailure,
  endWithoutRun,
  isUnended,
  released,
  snoozed,
  succeeded,
  succeededWith,
} from "./execution-end.ts";
import { HandlerContext } from "./handler-context.ts";
import { AbortControllerPool } from "./handler-signal.ts";
import { JobExecution } from "./job-execution.ts";
import { keptDelivery } from "./kept-delivery.ts";
import type { KnownExecutions, RunningExecutions } from "./known-executions.ts";
import { ProgressSaver, type SaveProgress, savingProgress } from "./progress-saver.ts";
import type { Settler } from "./settler.ts";
import type { Slot, Slots } from "./slots.ts";
import type { WorkerCounts } from "./worker-counts.ts";

/** The parts of a worker that its executor uses. */
export interface ExecutorSetUp<Job extends LeasedJob> {
  readonly engine: string;
  readonly backend: Pick<JobBackend<Job>, "capabilities" | "leaseMs" | "queueOf">;
  readonly consumer: JobConsumer<Job>;
  readonly jobs: ReadonlyMap<string, AnyDurableJob>;
  readonly runner: ObservedJobRunner;
  readonly known: KnownExecutions<Job>;
  readonly running: RunningExecutions<Job>;
  readonly slots: Slots;
  readonly settler: Settler<Job>;
  readonly counts: WorkerCounts;
  /** Aborted when the worker begins to stop: what arrives from then on is released. */
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** Executes leased jobs: each from its arrival until the engine has recorded its end. The path that every engine's jobs take. */
export class Executor<Job extends LeasedJob> {
  readonly #setUp: ExecutorSetUp<Job>;
  readonly #pool = new AbortControllerPool();
  /** Undefined if the store does not keep progress. */
  readonly #saveProgress: SaveProgress<Job> | undefined;
  /** The store's names for the queues of its jobs. */
  readonly #queues: ReadonlyMap<string, string>;
  /** Keeps the code that V8 optimised for deliveries. */
  readonly kept: unknown = keptDelivery();

  constructor(setUp: ExecutorSetUp<Job>) {
    const { backend, consumer, jobs } = setUp;
    this.#setUp = setUp;
    this.#queues = new Map([...jobs.keys()].map((name) => [name, backend.queueOf(name)]));
    this.#saveProgress = backend.capabilities.progress
      ? savingProgress(consumer, backend.leaseMs)
      : undefined;
  }

  /** Fetches jobs for the free slots, and begins to execute them. Resolves to the milliseconds that the fetch took, or to 0 if no job came. */
  async fetch(): Promise<number> {
    const { consumer, slots, stopping } = this.#setUp;
    const startMs = performance.now();
    const jobs = await consumer.fetch(slots.free, stopping);
    // A fetch that found no jobs has waited for them. The handlers that start now take no time of it.
    const fetchMs = jobs.length > 0 ? performance.now() - startMs : 0;
    for (const job of jobs) this.#occupy(job);
    return fetchMs;
  }

  /** Executes a job, and those that come with the records of the ends before. Never rejects. */
  async #occupy(first: Job): Promise<void> {
    const { slots, onError } = this.#setUp;
    const slot = slots.take();
    try {
      let job: Job | undefined = first;
      while (job !== undefined) job = await this.#execute(job, slot);
    } catch (error) {
      // The consumer gave a job or an answer that is none.
      onError(error);
    }
    slot.leave();
  }

  /** Resolves to a further job for the same slot. */
  async #execute(job: Job, slot: Slot): Promise<Job | undefined> {
    const { engine, backend, consumer, known, running, settler, counts } = this.#setUp;
    const queue = this.#queues.get(job.name) ?? backend.queueOf(job.name);
    const execution = new JobExecution(job, engine, queue, this.#pool);
    const earlier = known.add(execution);
    running.add(execution);
    try {
      const end = this.#endWithoutRun(execution, earlier, slot) ?? (await this.#perform(execution, earlier));
      const isInterrupted = end === released && execution.state.phase === "running";
      if (isInterrupted && earlier === undefined) counts.interrupted++;
      execution.conclude(end);
      if (consumer.settleAndFetch === undefined) slot.free();
      // An execution that was abandoned meanwhile is settled already.
      return execution.state.phase === "ended" ? await settler.settle(execution, slot) : undefined;
    } finally {
      running.remove(execution);
      known.remove(execution);
    }
  }

  #endWithoutRun(
    execution: JobExecution<Job>,
    earlier: JobExecution<Job> | undefined,
    slot: Slot,
  ): ExecutionEnd | undefined {
    const { jobs, settler, stopping, onError } = this.#setUp;
    const { name } = execution.job;
    if (!jobs.has(name)) {
      onError(new Error(`a job named "${name}" came, which was not asked for`));
      return released;
    }
    settler.tellStalled(execution);
    // Whatever the store says of the job, its handler runs here, or has run.
    if (earlier !== undefined) return undefined;
    // A fetch that was under way may bring more jobs than there are slots by now.
    return stopping.aborted || slot.isSurplus ? released : endWithoutRun(execution);
  }

  #perform(execution: JobExecution<Job>, earlier: JobExecution<Job> | undefined): Promise<ExecutionEnd> {
    const { jobs, counts } = this.#setUp;
    const definition = jobs.get(execution.job.name) as AnyDurableJob;
    if (earlier !== undefined) return this.#adopt(execution, earlier, definition);
    counts.started++;
    return this.#run(execution, definition);
  }

  /**
   * Ends as an earlier execution of the job does: that one's lease ran out, and its handler runs in this process, or has run. A
   * failure counts as one of this attempt.
   */
  async #adopt(
    execution: JobExecution<Job>,
    earlier: JobExecution<Job>,
    definition: AnyDurableJob,
  ): Promise<ExecutionEnd> {
    execution.adopted = earlier;
    execution.begin();
    if (execution.stopReason === "cancelled") earlier.cancel();
    const end = await earlier.ended();
    if (end.outcome.type !== "retried") return end;
    const { nextCarrier } = earlier.delivery;
    return endAfterFailure(
      execution,
      end.error as JobError,
      definition.backoff,
      nextCarrier,
      this.#setUp.onError,
    );
  }

  /** Runs the handler, and says what is to become of the job. It never rejects, and takes as long as the handler does. */
  async #run(execution: JobExecution<Job>, definition: AnyDurableJob): Promise<ExecutionEnd> {
    const { runner, backend, onError } = this.#setUp;
    const { snoozing, results, nullCharacters } = backend.capabilities;
    const { delivery, job, signal } = execution;
    const { attributes } = job.envelope;
    const runnerOfJob = attributes === undefined ? runner : runner.context(attributes);
    let started: ObservedJobContext | undefined;
    const context = new HandlerContext(delivery, signal, snoozing, (progress) => {
      if (started !== undefined && isUnended(execution.state)) this.#report(execution, started, progress);
    });
    const options = {
      signal: signal.forRunner,
      delivery,
      onContext: (context: ObservedJobContext) => {
        started = context;
      },
    };
    const perform = (): Promise<unknown> => definition.perform(job.envelope.payload, context);
    // A handler that calls `enterWith` of an AsyncLocalStorage changes its own context alone.
    const run = (): Promise<unknown> => new AsyncResource("NIDUS_JOB").runInAsyncScope(perform);
    const observed = { name: job.name, run };
    execution.begin();
    try {
      const result = await runnerOfJob.runAsync(observed, options);
      if (result === undefined || !results) return succeeded;
      return succeededWith(resultText(result, nullCharacters));
    } catch (thrown) {
      const snooze = signal.snoozeIn(thrown);
      if (snooze !== undefined && execution.stopReason !== "cancelled") {
        return snoozed(snooze.delayMs, delivery.nextCarrier);
      }
      return endAfterFailure(
        execution,
        JobError.from(thrown),
        definition.backoff,
        delivery.nextCarrier,
        onError,
      );
    }
  }

  #report(execution: JobExecution<Job>, run: ObservedJobContext, progress: JobProgress): void {
    tellProgress(run, progress);
    const save = this.#saveProgress;
    if (save === undefined) return;
    execution.progress ??= new ProgressSaver((last) => save(execution.holder.job, last), this.#setUp.onError);
    execution.progress.report(progress);
  }
}
