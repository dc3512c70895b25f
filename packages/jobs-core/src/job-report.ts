import type { AsyncJob } from "./job.ts";
import { JobError } from "./job-error.ts";

/** A job that failed, by name, and what it failed with. */
export interface JobFailure {
  readonly job: string;
  readonly error: JobError;
}

/** What became of the jobs that one `runAll` or `drain` took on. Lists hold job names. */
export class JobReport {
  /** Jobs that ended well, in the order in which they ended. */
  readonly completed: readonly string[];
  /** Jobs that failed, in the order in which they ended. */
  readonly failed: readonly JobFailure[];
  /** Jobs that were started, and ended because the signal was aborted. */
  readonly cancelled: readonly string[];
  /** `runAll` only: jobs that were in the queue and never started, because the signal was aborted. */
  readonly notStarted: readonly string[];
  /** Whether the signal was aborted before everything had run. */
  readonly wasAborted: boolean;
  readonly #abortReason: unknown;

  /** @internal Reports are made by the queues. */
  constructor(outcome: JobOutcomes) {
    this.completed = outcome.completed;
    this.failed = outcome.failed;
    this.cancelled = outcome.cancelled;
    this.notStarted = outcome.notStarted;
    this.wasAborted = outcome.abort !== undefined;
    this.#abortReason = outcome.abort?.reason;
  }

  /** No job failed, and nothing was aborted. */
  get isSuccess(): boolean {
    return this.failed.length === 0 && !this.wasAborted;
  }

  /**
   * Does nothing after a success.
   *
   * @throws AggregateError whose `errors` are the JobErrors of the failed jobs and, after an abort, last, a JobError
   * with the abort's reason as its cause.
   */
  throwIfFailed(): void {
    if (this.isSuccess) return;
    const errors = this.failed.map((failure) => failure.error);
    const problems = this.failed.slice(0, 3).map(({ job, error }) => `${job}: ${error.message}`);
    if (this.failed.length > 3) problems.push(`and ${this.failed.length - 3} more`);
    if (this.wasAborted) {
      const abort = JobError.from(this.#abortReason);
      errors.push(abort);
      problems.push(`aborted: ${abort.message}`);
    }
    throw new AggregateError(errors, `${this.failed.length} failed (${problems.join("; ")})`);
  }
}

/** The lists of a report while they are being filled. */
export class JobOutcomes {
  readonly completed: string[] = [];
  readonly failed: JobFailure[] = [];
  readonly cancelled: string[] = [];
  readonly notStarted: string[] = [];
  /** The signal that was aborted before everything had run. */
  abort: { readonly reason: unknown } | undefined = undefined;

  fail(job: AsyncJob<unknown>, error: unknown): void {
    this.failed.push({ job: nameOf(job), error: JobError.from(error) });
  }

  cancel(job: AsyncJob<unknown>): void {
    this.cancelled.push(nameOf(job));
  }

  skip(job: AsyncJob<unknown>): void {
    this.notStarted.push(nameOf(job));
  }
}

/** A name that cannot be read any more must not keep the other jobs from running. */
function nameOf(job: AsyncJob<unknown>): string {
  try {
    return job.name;
  } catch {
    return "(unreadable name)";
  }
}
