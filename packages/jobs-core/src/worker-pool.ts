import { isCancellation } from "./cancellation.ts";
import type { AsyncJob, AsyncJobRunner } from "./job.ts";
import type { JobList } from "./job-list.ts";
import type { JobOutcomes } from "./job-report.ts";

/** What one `runAll` or `drain` was asked for, and where it notes what happened. */
export interface Execution {
  readonly runner: AsyncJobRunner | undefined;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly outcomes: JobOutcomes;
}

/** Takes jobs from a list and runs them, at most `concurrency` at a time. */
export class WorkerPool {
  readonly #jobs: JobList<AsyncJob<unknown>>;
  readonly #execution: Execution;
  #workers = 0;
  /** Workers that `fill` called for and that have not begun: a job each is spoken for. */
  #summoned = 0;
  #finish: () => void = () => {};

  constructor(jobs: JobList<AsyncJob<unknown>>, execution: Execution) {
    this.#jobs = jobs;
    this.#execution = execution;
  }

  /** Resolves when the list is empty, or the signal is aborted, and all that was started has settled. */
  async run(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#finish = resolve;
      while (this.#hasUseForAnother()) {
        this.#workers++;
        this.#endOf(this.#work());
      }
      if (this.#workers === 0) resolve();
    });
    const { signal, outcomes } = this.#execution;
    if (signal.aborted && this.#jobs.size > 0) outcomes.abort = signal;
  }

  /** Puts idle workers to the jobs that were added since. They start after the caller's own code, not inside it. */
  fill(): void {
    while (this.#hasUseForAnother()) {
      this.#workers++;
      this.#summoned++;
      queueMicrotask(() => {
        this.#summoned--;
        this.#endOf(this.#work());
      });
    }
  }

  #hasUseForAnother(): boolean {
    const { concurrency, signal } = this.#execution;
    return this.#workers < concurrency && this.#summoned < this.#jobs.size && !signal.aborted;
  }

  #endOf(work: Promise<void>): void {
    void work.then(() => {
      if (--this.#workers === 0) this.#finish();
    });
  }

  async #work(): Promise<void> {
    const { runner, signal, outcomes } = this.#execution;
    const options = { signal };
    while (!signal.aborted) {
      const job = this.#jobs.take();
      if (job === undefined) return;
      try {
        await (runner === undefined ? job.run(signal) : runner.runAsync(job, options));
        outcomes.completed.push(job.name);
      } catch (error) {
        if (isCancellation(error, signal)) outcomes.cancel(job);
        else outcomes.fail(job, error);
      }
      if (signal.aborted) outcomes.abort = signal;
    }
  }
}
