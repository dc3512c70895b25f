import { isCancellation } from "../cancellation.ts";
import type { AsyncJob, AsyncJobRunner } from "../job/job.ts";
import { JobReport, noteAbort, noteFailure, type OpenReport } from "../job/job-report.ts";
import { refuseGenerator } from "../job/sync-result.ts";
import { requireKnownKeys, requireRunner, requireSignal, requireWholeNumber } from "../validation.ts";
import { overdueTurn, performance, uncheckedStarts } from "./event-loop.ts";
import type { Fifo } from "./fifo.ts";

/** How an AsyncJobQueue runs its jobs. */
export interface AsyncJobQueueRunOptions {
  /** Executes each job. @default the job's own `run`, unobserved */
  readonly runner?: AsyncJobRunner | undefined;
  /** How many jobs may run at once: a whole number from 1, or Infinity. @default 1: strictly one after the other */
  readonly concurrency?: number | undefined;
  /** Once it is aborted, no further job starts and running jobs see it. @default a signal that never aborts */
  readonly signal?: AbortSignal | undefined;
}

/** Workers that take jobs from a list and run them. */
export interface WorkerPool {
  /** Resolves when the list is empty or the signal is aborted, and all started jobs have settled. */
  readonly done: Promise<OpenReport>;
  /** Lets idle workers take jobs that were added. They start after the caller's own code, and only while the pool still works. */
  fill(): void;
}

/**
 * Starts at most `concurrency` workers.
 *
 * @throws TypeError or RangeError for an invalid option.
 */
export function startWorkers(jobs: Fifo<AsyncJob<unknown>>, given: AsyncJobQueueRunOptions = {}): WorkerPool {
  requireKnownKeys("the options", given, ["runner", "concurrency", "signal"]);
  const runner = requireRunner(given.runner, "runAsync");
  const { concurrency = 1 } = given;
  if (concurrency !== Infinity) requireWholeNumber("`concurrency`", concurrency);
  const signal = requireSignal(given.signal);
  const options = { signal };
  const report = new JobReport() as OpenReport;
  /** How many workers run, and the turn of the event loop that they wait for. */
  let active = 0;
  let turn: Promise<void> | undefined;
  // Whatever ran before the call, the first jobs start within it: at least 8, and more if they take less than 50 ms.
  let unchecked = 9;
  let sinceMs: number | undefined = performance.now() + 40;
  let finish: (report: OpenReport) => void;
  let fill: () => void;

  const work = async (): Promise<void> => {
    active++;
    do {
      const job = jobs.take() as AsyncJob<unknown>;
      let name = "?";
      try {
        name = job.name;
        refuseGenerator(name, await (runner ? runner.runAsync(job, options) : job.run(signal)));
        report.completed.push(name);
      } catch (error) {
        if (isCancellation(error, signal)) report.cancelled.push(name);
        else noteFailure(report, name, error);
      }
    } while (mayStart() && jobs.size > 0);
    active--;
    next();
  };

  /** Tells whether another job may start now. It may not after an abort, and not before an overdue turn of the event loop. */
  const mayStart = (): boolean => {
    try {
      if (signal.aborted) {
        noteAbort(report, signal);
        return false;
      }
    } catch {
      // A signal that can no longer be read aborts nothing.
    }
    if (turn) return false;
    if (--unchecked > 0) return true;
    const overdue = overdueTurn(sinceMs);
    unchecked = uncheckedStarts;
    if (!overdue) return true;
    turn = overdue.then(() => {
      turn = undefined;
      next();
    });
    return false;
  };

  /** Starts as many jobs as may run. Finishes the pool if nothing is left to wait for. */
  const next = (): void => {
    while (active < concurrency && jobs.size > 0 && mayStart()) void work();
    if (active === 0 && !turn) finish(report);
  };

  /** Starts jobs that were added, in the asynchronous context of the pool and not of the caller that added them. */
  const listen = async (): Promise<never> => {
    for (;;) {
      await new Promise<void>((resolve) => {
        fill = resolve;
      });
      if (active > 0) next();
    }
  };
  void listen();

  return {
    done: new Promise((resolve) => {
      finish = resolve;
      next();
      unchecked = 0;
      sinceMs = undefined;
    }),
    fill: () => fill(),
  };
}
