import type { JobError } from "@nidus/jobs-core";
import type { ObservedJobContext } from "../context/context.ts";
import type {
  DeclaredJobContext,
  EnqueuedJobContext,
  JobBacklog,
  SettledJobContext,
} from "../context/delivery.ts";

/** How a run ended. A timeout is a failure; `cancelled` means that the run ended because its signal was aborted. */
export type JobResultStatus = "success" | "failure" | "cancelled";

/**
 * Hears of runs. Every member is optional and synchronous, and is called within the run, so what takes time belongs
 * elsewhere: see `jobObserverChannel`. Nothing an observer does reaches the job or the other observers.
 */
export interface JobObserver {
  /** Called once a run, inside every observer's scope, before the job starts. */
  onJobStarted?(context: ObservedJobContext): void;
  /** Called once a run, inside every observer's scope. `error` is there unless the run succeeded. */
  onJobFinished?(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void;
  /**
   * Ambient state of the run, such as an active span or an AsyncLocalStorage: calls `run` once and returns what it
   * returned. Of an async run that is a promise. It is entered before `onJobStarted`, the first observer outermost. A getter is
   * read for each run, and may answer undefined where nobody needs the scope: then the run does not pay for one.
   */
  runInScope?: (<T>(context: ObservedJobContext, run: () => T) => T) | undefined;
  /**
   * Called for a job that is known before its first run, such as to start its counters at 0. It may be called several times
   * for one name.
   */
  onJobDeclared?(context: DeclaredJobContext): void;
  /** Engines only: an engine has been opened, whose backlog can be read from now on. */
  onEngineOpened?(context: OpenedEngineContext): void;
  /** Engines only: jobs are about to be stored. It may write headers to `context.carrier`. */
  onJobEnqueued?(context: EnqueuedJobContext): void;
  /** Engines only: what became of a delivery. */
  onJobSettled?(context: SettledJobContext): void;
}

/** An engine that has been opened. */
export interface OpenedEngineContext {
  /** The engine's name, such as "bullmq". */
  readonly engine: string;
  /** Asks the engine, with one query; rejects if the engine is unreachable. Undefined once it is closed. */
  backlog(): Promise<readonly JobBacklog[] | undefined>;
  /**
   * Observes the engine's own work from now on, such as polling and renewing leases, as runs of a job for each kind of it. To be
   * called within `onEngineOpened`. An observer of traces keeps that work out of them by its `runInScope`.
   *
   * @throws TypeError for what is no observer.
   */
  observeBookkeeping(observer: JobObserver): void;
}
