import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { JobBackend, JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import type { StoredJobProgress } from "../backend/stored-job.ts";
import { withDeadline } from "../errors/deadline.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import { describeDelivery } from "./describe-delivery.ts";
import { type ExecutionEnd, released } from "./execution-end.ts";
import { AbortControllerPool } from "./handler-signal.ts";
import { JobExecution, type RunSetUp } from "./job-execution.ts";
import { keptDelivery } from "./kept-delivery.ts";
import type { KnownExecutions, RunningExecutions } from "./known-executions.ts";
import type { Settler } from "./settler.ts";
import type { Slot } from "./slots.ts";
import type { WorkerCounts } from "./worker-counts.ts";

/** The parts of a worker that its executor uses. */
export interface ExecutorSetUp<Job extends LeasedJob> {
  readonly engine: string;
  readonly backend: Pick<JobBackend<Job>, "name" | "capabilities" | "leaseMs" | "queueOf">;
  readonly consumer: JobConsumer<Job>;
  readonly jobs: ReadonlyMap<string, AnyDurableJob>;
  readonly runner: ObservedJobRunner;
  readonly known: KnownExecutions<Job>;
  readonly running: RunningExecutions<Job>;
  readonly settler: Settler<Job>;
  readonly counts: WorkerCounts;
  /** Aborted when the worker begins to stop: what arrives from then on is released. */
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** Executes leased jobs: each from its arrival until the engine has recorded its end. */
export class Executor<Job extends LeasedJob> {
  readonly #setUp: ExecutorSetUp<Job>;
  readonly #pool = new AbortControllerPool();
  readonly #run: RunSetUp<Job>;
  /** The store's names for the queues of its jobs. */
  readonly #queues: ReadonlyMap<string, string>;
  /** Keeps the code that V8 optimised for deliveries. */
  readonly kept: unknown = keptDelivery();

  constructor(setUp: ExecutorSetUp<Job>) {
    const { backend, consumer, jobs, runner, onError } = setUp;
    const { capabilities, leaseMs } = backend;
    this.#setUp = setUp;
    this.#queues = new Map([...jobs.keys()].map((name) => [name, backend.queueOf(name)]));
    const save = (job: Job, progress: StoredJobProgress): Promise<void> =>
      withDeadline(
        consumer.saveProgress?.(job, progress) ?? Promise.resolve(),
        leaseMs / 3,
        "the server",
        "saving progress",
      );
    const canSave = capabilities.progress && consumer.saveProgress !== undefined;
    this.#run = { runner, capabilities, saveProgress: canSave ? save : undefined, onError };
  }

  /** Resolves to a further job for the same slot. */
  async execute(job: Job, slot: Slot): Promise<Job | undefined> {
    const { engine, backend, consumer, known, running, settler, counts } = this.#setUp;
    const queue = this.#queues.get(job.name) ?? backend.queueOf(job.name);
    const execution = new JobExecution(job, describeDelivery(job, engine, queue), this.#pool);
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
    return stopping.aborted || slot.isSurplus ? released : execution.endWithoutRun();
  }

  #perform(execution: JobExecution<Job>, earlier: JobExecution<Job> | undefined): Promise<ExecutionEnd> {
    const { jobs, counts, onError } = this.#setUp;
    const definition = jobs.get(execution.job.name) as AnyDurableJob;
    if (earlier !== undefined) return execution.adopt(earlier, definition, onError);
    counts.started++;
    return execution.run(definition, this.#run);
  }
}
