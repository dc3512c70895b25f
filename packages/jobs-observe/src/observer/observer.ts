import type { JobError } from "@nidus/jobs-core";
import type { ObservedJobContext } from "../context/context.ts";
import type {
  DeclaredJobContext,
  EnqueuedJobContext,
  JobProgress,
  SettledJobContext,
} from "../context/delivery.ts";
import type {
  DeadLetterCount,
  EngineHealth,
  JobBacklog,
  JobScheduleTimes,
} from "../context/engine-readings.ts";

/**
 * How a run ended. `cancelled` means that the run ended because its signal was aborted, and not by a timeout. The outcome of the stored
 * job is decided apart: see `JobOutcome` of jobs-durable.
 */
export type JobResultStatus = "success" | "failure" | "cancelled";

/**
 * Receives events about runs. Every member is optional and synchronous. The runner calls it within the run, so hand
 * slow work to `jobObserverChannel`. Nothing that an observer does affects the job or the other observers.
 */
export interface JobObserver {
  /** Called once per run, before the job starts and inside every observer's scope. */
  onJobStarted?(context: ObservedJobContext): void;
  /** Called once per run, inside every observer's scope. `error` is set unless the run succeeded. */
  onJobFinished?(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void;
  /**
   * Runs the job within ambient state, such as an active span or an AsyncLocalStorage. It must call `run` once and
   * return the result, which for an async run is a promise. The runner enters scopes before `onJobStarted`, the first
   * observer outermost.
   *
   * The member may be a getter, which the runner reads for each run. If it returns undefined, the run does not pay for
   * a scope.
   */
  runInScope?: (<T>(context: ObservedJobContext, run: () => T) => T) | undefined;
  /**
   * Called for a job that is known before its first run, for example to start its counters at 0. It may be called
   * several times for one name.
   */
  onJobDeclared?(context: DeclaredJobContext): void;
  /** Called when a run says how far it has come: see `reportProgress`. It may be called often. */
  onJobProgressed?(context: ObservedJobContext, progress: JobProgress): void;
  /** Engines only: called when an engine is created, before it has connected. You can read its backlog once it has. */
  onEngineOpened?(context: OpenedEngineContext): void;
  /** Engines only: called before jobs are stored. The observer may write headers to `context.carrier`. */
  onJobEnqueued?(context: EnqueuedJobContext): void;
  /** Engines only: called with the outcome of a delivery. */
  onJobSettled?(context: SettledJobContext): void;
}

/** Describes an engine. Members that read the store resolve to undefined once the engine is closed. */
export interface OpenedEngineContext {
  /** The engine's name, such as "bullmq". */
  readonly engine: string;
  /**
   * Reads the backlog from the engine, with one query. Resolves to undefined once the engine is closed. Rejects if the
   * engine is unreachable.
   */
  backlog(): Promise<readonly JobBacklog[] | undefined>;
  /** Counts the dead letters of each job name. Absent if the engine cannot. Rejects if the engine is unreachable. */
  deadLetters?(): Promise<readonly DeadLetterCount[] | undefined>;
  /** Reads the times of all schedules. Absent if the engine has no schedules. Rejects if the engine is unreachable. */
  schedules?(): Promise<readonly JobScheduleTimes[] | undefined>;
  /** Asks the store for a sign of life. Absent if the engine cannot. Never rejects. */
  health?(): Promise<EngineHealth | undefined>;
  /**
   * Observes the engine's own work from now on, such as polling and renewing leases. Each kind of work appears as the
   * runs of one job. Call it within `onEngineOpened`. An observer of traces keeps that work out of traces with its
   * `runInScope`. The scope of "work" is that of a whole worker, so the runs of jobs inherit what it sets for async work.
   *
   * @throws TypeError for a value that is no observer.
   */
  observeBookkeeping(observer: JobObserver): void;
}
