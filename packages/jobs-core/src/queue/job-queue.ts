import { addJobs, type Job, type JobRunner } from "../job/job.ts";
import { JobReport, noteFailure, type OpenReport } from "../job/job-report.ts";
import { refuseGenerator, requireSyncResult } from "../job/sync-result.ts";
import { type RefuseAsync, requireKnownKeys, requireRunner } from "../validation.ts";
import { Fifo } from "./fifo.ts";

/** How a {@link JobQueue} runs its jobs. */
export interface JobQueueRunOptions {
  /** Executes each job. @default the job's own `run`, unobserved */
  readonly runner?: JobRunner | undefined;
}

/**
 * Keeps synchronous jobs in memory and runs them in insertion order. A failing job never stops the next one. The queue
 * costs one array slot per job.
 */
export class JobQueue {
  readonly #jobs: Fifo<Job<unknown>> = new Fifo();

  /** The number of jobs in the queue. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Whether the queue holds no job. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /**
   * Adds jobs at the end: all of them, or none if one is not a job.
   *
   * @throws TypeError for a job without a name or without a `run` function.
   */
  push<T extends readonly unknown[]>(...jobs: { [K in keyof T]: Job<T[K]> & RefuseAsync<T[K]> }): void {
    this.pushAll(jobs as readonly Job<unknown>[] as Job<unknown>[]);
  }

  /**
   * Adds any number of jobs at the end: all of them, or none if one is not a job or the iterable throws.
   *
   * @throws TypeError for a job without a name or without a `run` function.
   */
  pushAll<J extends Job<unknown>>(jobs: Iterable<J & RefuseAsync<ReturnType<J["run"]>>>): void {
    addJobs(this.#jobs, [...jobs]);
  }

  /** Removes all jobs without running them. A `runAll` under way still runs the jobs it began with. */
  clear(): void {
    this.#jobs.clear();
  }

  /**
   * Runs the jobs that are in the queue now and keeps them: a second call runs them again. Jobs pushed meanwhile wait
   * for the next call. Blocks until all have run.
   *
   * @throws TypeError if `runner` has no `run`.
   */
  runAll(options?: JobQueueRunOptions): JobReport {
    return runEach(this.#jobs.snapshot(), options);
  }

  /**
   * Runs jobs until the queue is empty, including jobs pushed meanwhile. Takes each job out as it starts it. Blocks
   * until all have run.
   *
   * @throws TypeError if `runner` has no `run`.
   */
  drain(options?: JobQueueRunOptions): JobReport {
    return runEach(this.#jobs.taken(), options);
  }
}

function runEach(jobs: Iterable<Job<unknown>>, options: JobQueueRunOptions = {}): JobReport {
  requireKnownKeys("the options", options, ["runner"]);
  const runner = requireRunner(options.runner, "run");
  const report = new JobReport() as OpenReport;
  // V8 optimises pushes to an array that was made in the same function. On Node 24, pushing to the array that the
  // report made costs as much as the rest of this loop.
  const completed: string[] = [];
  report.completed = completed;
  for (const job of jobs) {
    let name = "?";
    try {
      name = job.name;
      const result = runner ? runner.run(job) : job.run();
      if (result) refuseGenerator(name, requireSyncResult(job, result));
      completed.push(name);
    } catch (error) {
      noteFailure(report, name, error);
    }
  }
  return report;
}
