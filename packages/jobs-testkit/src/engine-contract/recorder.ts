import type { JobError } from "@nidus/jobs-core";
import type {
  EnqueuedJobContext,
  JobObserver,
  JobResultStatus,
  ObservedJobContext,
  SettledJobContext,
} from "@nidus/jobs-observe";

/** A run that has finished. */
export interface FinishedRun {
  readonly context: ObservedJobContext;
  readonly status: JobResultStatus;
  readonly error: JobError | undefined;
}

/** What observers were told, in order, by all engines of one test. */
export class Recorder implements JobObserver {
  readonly enqueued: EnqueuedJobContext[] = [];
  readonly started: ObservedJobContext[] = [];
  readonly finished: FinishedRun[] = [];
  readonly settled: SettledJobContext[] = [];

  /** What became of the deliveries, in order. */
  get outcomes(): SettledJobContext["outcome"][] {
    return this.settled.map(({ outcome }) => outcome);
  }

  onJobEnqueued(context: EnqueuedJobContext): void {
    this.enqueued.push(context);
  }

  onJobStarted(context: ObservedJobContext): void {
    this.started.push(context);
  }

  onJobFinished(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void {
    this.finished.push({ context, status, error });
  }

  onJobSettled(context: SettledJobContext): void {
    this.settled.push(context);
  }
}
