import { type AsyncJob, addJobs } from "../job/job.ts";
import type { JobReport } from "../job/job-report.ts";
import { Fifo } from "./fifo.ts";
import { type AsyncJobQueueRunOptions, startWorkers, type WorkerPool } from "./worker-pool.ts";

/**
 * Keeps sync and async jobs in memory and starts them in insertion order. A failing job never stops the next one. The
 * queue costs one array slot per job.
 */
export class AsyncJobQueue {
  readonly #jobs: Fifo<AsyncJob<unknown>> = new Fifo();
  readonly #drains: Set<WorkerPool> = new Set();

  /** The number of jobs in the queue. A job leaves the queue when a `drain` starts it. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Whether the queue holds no job. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /**
   * Adds jobs at the end: all of them, or none if one is not a job. A `drain` that still runs a
   * job runs them too.
   *
   * @throws TypeError for a job without a name or without a `run` function.
   */
  push(...jobs: AsyncJob<unknown>[]): void {
    this.pushAll(jobs);
  }

  /**
   * Adds any number of jobs at the end: all of them, or none if one is not a job or the iterable throws.
   *
   * @throws TypeError for a job without a name or without a `run` function.
   */
  pushAll(jobs: Iterable<AsyncJob<unknown>>): void {
    addJobs(this.#jobs, [...jobs]);
    for (const drain of this.#drains) drain.fill();
  }

  /** Removes all jobs without running them. A `runAll` under way still runs the jobs it began with. */
  clear(): void {
    this.#jobs.clear();
  }

  /**
   * Runs the jobs that are in the queue now and keeps them: a second call runs them again. Jobs pushed meanwhile wait
   * for the next call. Resolves when all started jobs have settled. A failing job never makes it reject.
   *
   * @throws (rejects with) TypeError or RangeError for an invalid option, before any job runs.
   */
  async runAll(options?: AsyncJobQueueRunOptions): Promise<JobReport> {
    const jobs = new Fifo(this.#jobs.snapshot());
    const report = await startWorkers(jobs, options).done;
    report.notStarted = jobs.snapshot().map((job) => job.name);
    return report;
  }

  /**
   * Runs jobs until the queue is empty, including jobs pushed meanwhile. It takes each job out as it starts it, so
   * drains that overlap run each job once. All jobs run in the asynchronous context of this call. Jobs that an abort kept
   * from starting stay in the queue. Resolves when all started jobs have settled. A failing job never makes it reject.
   *
   * @throws (rejects with) TypeError or RangeError for an invalid option, before any job runs.
   */
  async drain(options?: AsyncJobQueueRunOptions): Promise<JobReport> {
    const pool = startWorkers(this.#jobs, options);
    this.#drains.add(pool);
    const report = await pool.done;
    this.#drains.delete(pool);
    return report;
  }
}
