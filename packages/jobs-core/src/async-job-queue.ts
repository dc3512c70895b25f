import { neverAbortedSignal } from "./cancellation.ts";
import type { AsyncJob, AsyncJobRunner } from "./job.ts";
import { JobList } from "./job-list.ts";
import { JobOutcomes, JobReport } from "./job-report.ts";
import { requireConcurrency, requireJob, requireRunner, requireSignal } from "./validation.ts";
import { type Execution, WorkerPool } from "./worker-pool.ts";

/** How an {@link AsyncJobQueue} runs its jobs. */
export interface AsyncJobQueueRunOptions {
  /** Executes each job. @default the job's own `run`, with nothing observed */
  readonly runner?: AsyncJobRunner | undefined;
  /** How many jobs may run at once: a whole number from 1, or Infinity. @default 1, strictly one after the other */
  readonly concurrency?: number | undefined;
  /** Once aborted, no further job starts, and running jobs see it. @default a signal that never aborts */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Jobs in memory, async or not, started in insertion order. Every job is attempted: one that fails never stops the next.
 * The queue costs one array slot a job.
 */
export class AsyncJobQueue {
  readonly #jobs = new JobList<AsyncJob<unknown>>();
  readonly #drains = new Set<WorkerPool>();

  /** How many jobs are in the queue. Those that a `drain` has started are no longer in it. */
  get size(): number {
    return this.#jobs.size;
  }

  get isEmpty(): boolean {
    return this.#jobs.size === 0;
  }

  /**
   * Adds jobs at the end: all of them, or none where one is not a job. A `drain` under way runs them too.
   *
   * @throws TypeError for a job without a name or without a `run` function.
   */
  push(...jobs: AsyncJob<unknown>[]): void {
    this.#add(jobs, "AsyncJobQueue.push");
  }

  /**
   * Adds any number of jobs at the end: all of them, or none where one is not a job or the iterable throws.
   *
   * @throws TypeError for a job without a name or without a `run` function.
   */
  pushAll(jobs: Iterable<AsyncJob<unknown>>): void {
    this.#add([...jobs], "AsyncJobQueue.pushAll");
  }

  #add(jobs: readonly AsyncJob<unknown>[], where: string): void {
    for (const job of jobs) requireJob(job, where);
    for (const job of jobs) this.#jobs.add(job);
    for (const drain of this.#drains) drain.fill();
  }

  /** Forgets the jobs and runs none. A `runAll` under way still runs those it began with. */
  clear(): void {
    this.#jobs.clear();
  }

  /**
   * Runs the jobs that are in the queue now, and keeps them: a second call runs them again.
   * Jobs pushed meanwhile stay for the next call. Resolves when all that were started have settled; no job makes it reject.
   *
   * @throws (rejects with) TypeError or RangeError for an option that is not as documented; nothing was run then.
   */
  async runAll(options: AsyncJobQueueRunOptions = {}): Promise<JobReport> {
    const execution = executionOf(options, "AsyncJobQueue.runAll");
    const jobs = this.#jobs.copy();
    await new WorkerPool(jobs, execution).run();
    for (let job = jobs.take(); job !== undefined; job = jobs.take()) execution.outcomes.skip(job);
    return new JobReport(execution.outcomes);
  }

  /**
   * Runs jobs until the queue is empty, also those pushed meanwhile, and takes each out as it starts it: however many
   * drains overlap, each job runs once. What an abort kept from starting is still in the queue.
   * Resolves when all that were started have settled; no job makes it reject.
   *
   * @throws (rejects with) TypeError or RangeError for an option that is not as documented; nothing was run then.
   */
  async drain(options: AsyncJobQueueRunOptions = {}): Promise<JobReport> {
    const execution = executionOf(options, "AsyncJobQueue.drain");
    const pool = new WorkerPool(this.#jobs, execution);
    this.#drains.add(pool);
    await pool.run();
    this.#drains.delete(pool);
    return new JobReport(execution.outcomes);
  }
}

function executionOf(options: AsyncJobQueueRunOptions, where: string): Execution {
  return {
    runner: requireRunner(options.runner, "runAsync", where),
    concurrency: requireConcurrency(options.concurrency, where),
    signal: requireSignal(options.signal, where) ?? neverAbortedSignal(),
    outcomes: new JobOutcomes(),
  };
}
