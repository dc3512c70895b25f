import type { JobError } from "@nidus/jobs-core";
import type {
  EnqueuedJobContext,
  JobBacklog,
  JobObserver,
  JobResultStatus,
  ObservedJobContext,
  OpenedEngineContext,
  SettledJobContext,
} from "@nidus/jobs-observe";

/** A run that has ended. */
export interface FinishedRun {
  readonly context: ObservedJobContext;
  readonly status: JobResultStatus;
  readonly error: JobError | undefined;
}

/** Everything that an engine's runner told, in order. */
export class Recorder implements JobObserver {
  readonly started: ObservedJobContext[] = [];
  readonly finished: FinishedRun[] = [];
  readonly enqueued: EnqueuedJobContext[] = [];
  readonly settled: SettledJobContext[] = [];
  readonly opened: OpenedEngineContext[] = [];
  /** Headers that are written to whatever is enqueued. */
  readonly headers: Record<string, string> = {};

  onEngineOpened(context: OpenedEngineContext): void {
    this.opened.push(context);
  }

  onJobStarted(context: ObservedJobContext): void {
    this.started.push(context);
  }

  onJobFinished(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void {
    this.finished.push({ context, status, error });
  }

  onJobEnqueued(context: EnqueuedJobContext): void {
    Object.assign(context.carrier, this.headers);
    this.enqueued.push(context);
  }

  onJobSettled(context: SettledJobContext): void {
    this.settled.push(context);
  }

  /** The outcomes of a job's deliveries, in order. */
  outcomesOf(jobName: string): string[] {
    return this.settled.filter((context) => context.jobName === jobName).map(({ outcome }) => outcome);
  }

  /** What the engine says now of what waits under a name. */
  async backlogOf(jobName: string): Promise<JobBacklog | undefined> {
    return (await this.opened[0]?.backlog())?.find((each) => each.jobName === jobName);
  }
}
