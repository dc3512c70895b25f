import { JobError } from "./job-error.ts";

/** A job that failed, by name, and what it failed with. */
export interface JobFailure {
  /** The job's name. */
  readonly jobName: string;
  /** What it failed with; its `cause` is what the job threw. */
  readonly error: JobError;
}

/** What became of the jobs that one `runAll` or `drain` took on. Lists hold job names. */
export class JobReport {
  /** Jobs that ended well, in the order in which they ended. */
  readonly completed: readonly string[] = [];
  /** Jobs that failed, in the order in which they ended. */
  readonly failed: readonly JobFailure[] = [];
  /** Jobs that were started, and ended because the signal was aborted. */
  readonly cancelled: readonly string[] = [];
  /** `runAll` only: jobs that were in the queue and never started, because the signal was aborted. */
  readonly notStarted: readonly string[] = [];
  /** Whether the signal was aborted before everything had run. */
  readonly wasAborted: boolean = false;
  /** Where it was: why. */
  protected abortReason: unknown;

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
    const errors = this.failed.map(({ error }) => error);
    if (this.wasAborted) errors.push(JobError.from(this.abortReason));
    throw new AggregateError(errors, `${this.failed.length} jobs failed. First: ${errors[0]?.message}`);
  }
}

/** A report while it is being written. */
export class OpenReport extends JobReport {
  declare completed: string[];
  declare readonly failed: JobFailure[];
  declare readonly cancelled: string[];
  declare readonly notStarted: string[];
  declare wasAborted: boolean;

  fail(jobName: string, error: unknown): void {
    this.failed.push({ jobName, error: JobError.from(error) });
  }

  abort(reason: unknown): void {
    this.wasAborted = true;
    this.abortReason = reason;
  }
}
