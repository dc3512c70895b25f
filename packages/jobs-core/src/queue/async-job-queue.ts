import type { AsyncJob } from "../job/job.ts";
import type { JobReport } from "../job/job-report.ts";
import { JobList } from "./job-list.ts";
import { type AsyncJobQueueRunOptions, startWorkers, type WorkerPool } from "./worker-pool.ts";

/**
 * Jobs in memory, async or not, started in insertion order. Every job is attempted: one that fails never stops the next.
 * The queue costs one array slot a job.
 */
export class AsyncJobQueue {
  readonly #jobs: JobList<AsyncJob<unknown>> = new JobList();
  readonly #drains: Set<WorkerPool> = new Set();

  /** How many jobs are in the queue. Those that a `drain` has started are no longer in it. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Whether there is no job in the queue. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /**
   * Adds jobs at the end: all of them, or none where one is not a job. A `drain` under way runs them too.
   *
   * @throws TypeError for a job without a name or without a `run` function.
   */
  push(...jobs: AsyncJob<unknown>[]): void {
    this.pushAll(jobs);
  }

  /**
   * Adds any number of jobs at the end: all of them, or none where one is not a job or the iterable throws.
   *
   * @throws TypeError for a job without a name or without a `run` function.
   */
  pushAll(jobs: Iterable<AsyncJob<unknown>>): void {
    this.#jobs.add([...jobs]);
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
  async runAll(options?: AsyncJobQueueRunOptions): Promise<JobReport> {
    const jobs = new JobList(this.#jobs.snapshot());
    const report = await startWorkers(jobs, options).done;
    for (const { name } of jobs.snapshot()) report.notStarted.push(name);
    return report;
  }

  /**
   * Runs jobs until the queue is empty, also those pushed meanwhile, and takes each out as it starts it: however many
   * drains overlap, each job runs once. What an abort kept from starting is still in the queue.
   * Resolves when all that were started have settled; no job makes it reject.
   *
   * @throws (rejects with) TypeError or RangeError for an option that is not as documented; nothing was run then.
   */
  async drain(options?: AsyncJobQueueRunOptions): Promise<JobReport> {
    const pool = startWorkers(this.#jobs, options);
    this.#drains.add(pool);
    const report = await pool.done;
    this.#drains.delete(pool);
    return report;
  }
}
