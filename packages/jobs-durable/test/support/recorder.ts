import type {
  EnqueuedJobContext,
  JobObserver,
  JobResultStatus,
  ObservedJobContext,
  SettledJobContext,
} from "@nidus/jobs-observe";

/** Records what observers were told, in order. */
export class Recorder implements JobObserver {
  readonly enqueued: EnqueuedJobContext[] = [];
  readonly started: ObservedJobContext[] = [];
  readonly finished: JobResultStatus[] = [];
  readonly settled: SettledJobContext[] = [];

  get outcomes(): string[] {
    return this.settled.map(({ outcome }) => outcome);
  }

  onJobEnqueued(context: EnqueuedJobContext): void {
    this.enqueued.push(context);
  }

  onJobStarted(context: ObservedJobContext): void {
    this.started.push(context);
  }

  onJobFinished(_context: ObservedJobContext, status: JobResultStatus): void {
    this.finished.push(status);
  }

  onJobSettled(context: SettledJobContext): void {
    this.settled.push(context);
  }
}
