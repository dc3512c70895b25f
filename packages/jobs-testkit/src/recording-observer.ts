import type { JobError } from "@nidus/jobs-core";
import type {
  DeclaredJobContext,
  EnqueuedJobContext,
  JobAttributes,
  JobDelivery,
  JobObserver,
  JobProgress,
  JobResultStatus,
  ObservedJobContext,
  OpenedEngineContext,
  SettledJobContext,
} from "@nidus/jobs-observe";
import { startedContext } from "@nidus/jobs-observe/adapter";

/** A run as plain data. It never changes: when the run ends, another object takes its place in the list. */
export interface RecordedRun {
  /** The name of the job. */
  readonly jobName: string;
  /** The id of the run. */
  readonly runId: string;
  /** How the run ended, or that it is still running. */
  readonly status: "running" | JobResultStatus;
  /** Milliseconds; undefined while the run is going on. */
  readonly durationMs: number | undefined;
  /** The attributes of the runner. */
  readonly attributes: JobAttributes;
  /** The error, if the run failed or was cancelled. */
  readonly error: JobError | undefined;
  /** The delivery, if an engine delivered the job. */
  readonly delivery: JobDelivery | undefined;
}

/** How far a run said it had come. */
export interface RecordedProgress extends JobProgress {
  /** The name of the job. */
  readonly jobName: string;
  /** The id of the run. */
  readonly runId: string;
}

/** Keeps what {@link recordingObserver} heard until you call `clear`. Use it in tests alone. */
export interface JobRecorder extends JobObserver {
  /** Every run, in the order in which they started. The list grows, and its runs are replaced, as runs start and end. */
  readonly runs: readonly RecordedRun[];
  /** Returns the runs of one job, as they are now. */
  runsOf(jobName: string): readonly RecordedRun[];
  /** The jobs that were declared before their first run, by engines and by the application. */
  readonly declared: readonly DeclaredJobContext[];
  /** The enqueues that engines announced. */
  readonly enqueued: readonly EnqueuedJobContext[];
  /** The deliveries that engines reported as ended. */
  readonly settled: readonly SettledJobContext[];
  /** Returns how the deliveries of a job ended, in order, such as "retried", "succeeded". */
  outcomesOf(jobName: string): readonly SettledJobContext["outcome"][];
  /** How far runs said they had come, in order. */
  readonly progressed: readonly RecordedProgress[];
  /** The engines that were opened with this observer. */
  readonly opened: readonly OpenedEngineContext[];
  /** Forgets everything. The end of a run that is going on is then not recorded. */
  clear(): void;
}

/** Makes an observer that keeps what it hears, for tests. */
export function recordingObserver(): JobRecorder {
  const runs: RecordedRun[] = [];
  const declared: DeclaredJobContext[] = [];
  const enqueued: EnqueuedJobContext[] = [];
  const settled: SettledJobContext[] = [];
  const opened: OpenedEngineContext[] = [];
  const progressed: RecordedProgress[] = [];
  /** The position of each unfinished run in the list. */
  const running = new Map<ObservedJobContext, number>();

  return {
    runs,
    declared,
    enqueued,
    settled,
    opened,
    progressed,
    runsOf: (name) => runs.filter(({ jobName }) => jobName === name),
    outcomesOf: (name) => settled.filter(({ jobName }) => jobName === name).map(({ outcome }) => outcome),
    clear() {
      for (const list of [runs, declared, enqueued, settled, opened, progressed]) list.length = 0;
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
    onJobProgressed: ({ jobName, runId }, progress) => void progressed.push({ jobName, runId, ...progress }),
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
