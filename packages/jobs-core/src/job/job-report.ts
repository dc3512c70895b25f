import { propertyOf } from "../foreign.ts";
import { JobError } from "./job-error.ts";

/** A job that failed, and its error. */
export interface JobFailure {
  /** The job's name. */
  readonly jobName: string;
  /** The error that the job failed with. Its `cause` is what the job threw. */
  readonly error: JobError;
}

/** A report as plain data, in the form that `JSON.stringify` writes. */
export interface JobReportData
  extends Pick<JobReport, "completed" | "cancelled" | "notStarted" | "wasAborted" | "isSuccess"> {
  /** Jobs that failed, in the order in which they ended, each with the message and code of its error. */
  readonly failed: readonly { readonly jobName: string; readonly message: string; readonly code: string }[];
}

/** Reports what happened to the jobs of one `runAll` or `drain`. The lists hold job names. */
export class JobReport {
  /** Jobs that succeeded, in the order in which they ended. */
  readonly completed: readonly string[] = [];
  /** Jobs that failed, in the order in which they ended. */
  readonly failed: readonly JobFailure[] = [];
  /** Jobs that started and then ended because the signal was aborted. */
  readonly cancelled: readonly string[] = [];
  /** `runAll` only: jobs of the queue that never started, because the signal was aborted. */
  readonly notStarted: readonly string[] = [];
  /** Whether the signal was aborted before all jobs had run. */
  readonly wasAborted: boolean = false;
  /** The reason of the abort, or undefined. */
  readonly abortReason: unknown;

  /** Whether no job failed and nothing was aborted. */
  get isSuccess(): boolean {
    return !this.failed[0] && !this.wasAborted;
  }

  /**
   * Throws unless the report is a success.
   *
   * @throws AggregateError whose `errors` are the JobErrors of the failed jobs. After an abort, the last of them is a
   * JobError with the abort's reason as its cause.
   */
  throwIfFailed(): void {
    if (this.isSuccess) return;
    const errors = this.failed.map(({ error }) => error);
    const summary = errors[0] ? `${errors.length} failed. First: ` : "the run was aborted: ";
    if (this.wasAborted) errors.push(JobError.from(this.abortReason));
    throw new AggregateError(errors, summary + errors[0]?.message);
  }

  /** Returns the report as plain data for `JSON.stringify`, without stacks and causes. */
  toJSON(): JobReportData {
    const { abortReason, ...report } = this;
    const failed = this.failed.map(({ jobName, error: { message, code } }) => ({ jobName, message, code }));
    return { ...report, failed, isSuccess: this.isSuccess };
  }
}

/** A report that is still being written. */
export type OpenReport = JobReport & {
  completed: string[];
  failed: JobFailure[];
  cancelled: string[];
  notStarted: string[];
  wasAborted: boolean;
  abortReason: unknown;
};

/** Adds a failed job to a report. */
export function noteFailure(report: OpenReport, jobName: string, error: unknown): void {
  report.failed.push({ jobName, error: JobError.from(error) });
}

/** Records that an abort kept jobs from running. */
export function noteAbort(report: OpenReport, signal: AbortSignal): void {
  const reason = propertyOf(signal, "reason");
  report.wasAborted = true;
  // Polyfills may set no reason.
  report.abortReason = reason === undefined ? AbortSignal.abort().reason : reason;
}
