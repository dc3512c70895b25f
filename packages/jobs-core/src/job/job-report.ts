import { JobError } from "./job-error.ts";

/** A job that failed, by name, and what it failed with. */
export interface JobFailure {
  /** The job's name. */
  readonly jobName: string;
  /** What it failed with; its `cause` is what the job threw. */
  readonly error: JobError;
}

/** A report as plain data, which is what `JSON.stringify` writes. */
export interface JobReportData
  extends Pick<JobReport, "completed" | "cancelled" | "notStarted" | "wasAborted" | "isSuccess"> {
  /** Jobs that failed, in the order in which they ended, with the message and the code of what each failed with. */
  readonly failed: readonly { readonly jobName: string; readonly message: string; readonly code: string }[];
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
  /** The reason of the abort, or undefined. */
  readonly abortReason: unknown = undefined;

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
    const count = this.failed.length;
    const summary = count === 0 ? "the run was aborted: " : `${count} jobs failed. First: `;
    throw new AggregateError(errors, `${summary}${errors[0]?.message}`);
  }

  /** Returns what `JSON.stringify` writes. Stacks and causes stay out. */
  toJSON(): JobReportData {
    const { abortReason, ...report } = this;
    const failed = this.failed.map(({ jobName, error: { message, code } }) => ({ jobName, message, code }));
    return { ...report, failed, isSuccess: this.isSuccess };
  }
}

/** A report while it is being written. */
export type OpenReport = JobReport & {
  completed: string[];
  failed: JobFailure[];
  cancelled: string[];
  notStarted: string[];
  wasAborted: boolean;
  abortReason: unknown;
};

/** Notes that a job failed. */
export function noteFailure({ failed }: OpenReport, jobName: string, error: unknown): void {
  failed.push({ jobName, error: JobError.from(error) });
}

/** Notes that not everything has run. */
export function noteAbort(report: OpenReport, { reason }: AbortSignal): void {
  report.wasAborted = true;
  // Polyfills know no reason.
  report.abortReason = reason === undefined ? AbortSignal.abort().reason : reason;
}
