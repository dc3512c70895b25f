import type { JobError } from "@nidus/jobs-core";
import {
  type DeclaredJobContext,
  type EnqueuedJobContext,
  type JobAttributes,
  type JobDelivery,
  type JobObserver,
  type JobResultStatus,
  type ObservedJobContext,
  type OpenedEngineContext,
  type SettledJobContext,
  startedContext,
} from "@nidus/jobs-observe";

/** A run as plain data, which never changes: when the run ends, another one takes its place in the list. */
export interface RecordedRun {
  /** As the job has it. */
  readonly jobName: string;
  /** As the run has it. */
  readonly runId: string;
  /** How it ended, or that it has not. */
  readonly status: "running" | JobResultStatus;
  /** Milliseconds; undefined while it runs. */
  readonly durationMs: number | undefined;
  /** Those of its runner. */
  readonly attributes: JobAttributes;
  /** There if the run failed or was cancelled. */
  readonly error: JobError | undefined;
  /** Where an engine delivered the job, else undefined. */
  readonly delivery: JobDelivery | undefined;
}

/** What {@link recordingObserver} heard. It keeps everything until it is cleared, so it is for tests. */
export interface JobRecorder extends JobObserver {
  /** Every run, in the order in which they started. The list grows, and its runs are replaced, as runs start and end. */
  readonly runs: readonly RecordedRun[];
  /** The runs of one job, as they are now. */
  runsOf(jobName: string): readonly RecordedRun[];
  /** The jobs that were declared before their first run, by engines and by the application. */
  readonly declared: readonly DeclaredJobContext[];
  /** What engines told that they were about to store. */
  readonly enqueued: readonly EnqueuedJobContext[];
  /** What engines told of deliveries that had ended. */
  readonly settled: readonly SettledJobContext[];
  /** What became of a job's deliveries, in order: such as "retried", "succeeded". */
  outcomesOf(jobName: string): readonly SettledJobContext["outcome"][];
  /** The engines that were opened with it. */
  readonly opened: readonly OpenedEngineContext[];
  /** Forgets everything, also the runs under way: how they end is not recorded. */
  clear(): void;
}

/** An observer that keeps what it hears, for tests to look at. */
export function recordingObserver(): JobRecorder {
  const runs: RecordedRun[] = [];
  const declared: DeclaredJobContext[] = [];
  const enqueued: EnqueuedJobContext[] = [];
  const settled: SettledJobContext[] = [];
  const opened: OpenedEngineContext[] = [];
  /** Where in the list each unfinished run is. */
  const running = new Map<ObservedJobContext, number>();

  return {
    runs,
    declared,
    enqueued,
    settled,
    opened,
    runsOf: (name) => runs.filter(({ jobName }) => jobName === name),
    outcomesOf: (name) => settled.filter(({ jobName }) => jobName === name).map(({ outcome }) => outcome),
    clear() {
      for (const list of [runs, declared, enqueued, settled, opened]) list.length = 0;
      running.clear();
    },
    onJobStarted(context) {
      running.set(startedContext(context), runs.length);
      runs.push(recordOf(context, "running"));
    },
    onJobFinished(context, status, error) {
      const index = running.get(startedContext(context));
      if (index === undefined) return;
      running.delete(startedContext(context));
      runs[index] = recordOf(context, status, error);
    },
    onJobDeclared: (context) => void declared.push(context),
    onEngineOpened: (context) => void opened.push(context),
    onJobEnqueued: (context) => void enqueued.push(context),
    onJobSettled: (context) => void settled.push(context),
  };
}

function recordOf(
  { jobName, runId, durationMs, attributes, delivery }: ObservedJobContext,
  status: RecordedRun["status"],
  error?: JobError,
): RecordedRun {
  return Object.freeze({ jobName, runId, status, durationMs, attributes, error, delivery });
}
