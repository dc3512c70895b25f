import { isCancellation } from "./cancellation.ts";
import type { AsyncJob, AsyncJobRunner } from "./job.ts";
import type { JobList } from "./job-list.ts";
import { OpenReport } from "./job-report.ts";
import { requireRunner, requireSignal, requireWholeNumber } from "./validation.ts";

/** How an AsyncJobQueue runs its jobs. */
export interface AsyncJobQueueRunOptions {
  /** Executes each job. @default the job's own `run`, with nothing observed */
  readonly runner?: AsyncJobRunner | undefined;
  /** How many jobs may run at once: a whole number from 1, or Infinity. @default 1, strictly one after the other */
  readonly concurrency?: number | undefined;
  /** Once aborted, no further job starts, and running jobs see it. @default a signal that never aborts */
  readonly signal?: AbortSignal | undefined;
}

/** Workers that take jobs from a list and run them. */
export interface WorkerPool {
  /** Resolves when the list is empty, or the signal is aborted, and all that was started has settled. */
  readonly done: Promise<OpenReport>;
  /** Puts idle workers to the jobs that were added since: after the caller's own code, and only while others still work. */
  fill(): void;
}

/**
 * Starts at most `concurrency` workers.
 *
 * @throws TypeError or RangeError for an option that is not as documented.
 */
export function startWorkers(
  jobs: JobList<AsyncJob<unknown>>,
  { runner, concurrency = 1, signal: given }: AsyncJobQueueRunOptions = {},
): WorkerPool {
  requireRunner(runner, "runAsync");
  if (concurrency !== Infinity) requireWholeNumber("`concurrency`", concurrency);
  const signal = requireSignal(given);
  const options = { signal };
  const report = new OpenReport();
  let workers = 0;
  let finish: (report: OpenReport) => void;

  const work = async (): Promise<void> => {
    while (!signal.aborted) {
      const job = jobs.take();
      if (job === undefined) return;
      let name = "?";
      try {
        name = job.name;
        await (runner === undefined ? job.run(signal) : runner.runAsync(job, options));
        report.completed.push(name);
      } catch (error) {
        if (isCancellation(error, signal)) report.cancelled.push(name);
        else report.fail(name, error);
      }
      if (signal.aborted) report.abort(signal.reason);
    }
  };

  /** Starts what can be started, and ends where nothing is left to wait for. */
  const next = (): void => {
    while (workers < concurrency && jobs.size > 0 && !signal.aborted) {
      workers++;
      void work().then(() => {
        workers--;
        next();
      });
    }
    if (workers > 0) return;
    if (jobs.size > 0) report.abort(signal.reason);
    finish(report);
  };

  return {
    done: new Promise((resolve) => {
      finish = resolve;
      next();
    }),
    fill: () =>
      queueMicrotask(() => {
        if (workers > 0) next();
      }),
  };
}
