/** Says how many jobs of one name are ready to run and wait for a worker. */
export interface JobBacklog {
  /** The name that the jobs have in common. */
  readonly jobName: string;
  /** How many jobs wait. */
  readonly waiting: number;
  /** The moment from which the oldest of them could have run, or undefined if none waits. */
  readonly oldestWaitingAt: Date | undefined;
}

/** Says how many dead letters of one job name an engine holds. */
export interface DeadLetterCount {
  /** The name that the jobs have in common. */
  readonly jobName: string;
  /** How many dead letters the engine holds. */
  readonly count: number;
  /** The moment at which the oldest of them failed for the last time, or undefined if there is none. */
  readonly oldestAt: Date | undefined;
}

/** Says when one schedule was due, and when it is due next. */
export interface JobScheduleTimes {
  /** The name of the job that the schedule stores. */
  readonly jobName: string;
  /** The latest moment at which the schedule was due, or undefined before the first. Never in the future. */
  readonly lastScheduledAt: Date | undefined;
  /** The next moment at which the schedule is due, or undefined if there is none. */
  readonly nextRunAt: Date | undefined;
}

/**
 * How a worker does.
 * - `working`: it runs jobs.
 * - `idle`: it waits for jobs.
 * - `server-unreachable`: the store does not answer its calls.
 * - `stuck`: it has free slots and no longer asks the store for jobs, although the store answers.
 * - `stopped`: it takes no more jobs.
 */
export type WorkerState = "working" | "idle" | "server-unreachable" | "stuck" | "stopped";

/** Describes how a worker does. */
export interface WorkerHealth {
  /** How the worker does. */
  readonly state: WorkerState;
  /** When the store last answered the worker: its start, a fetch or a lease renewal. Undefined if it has never answered. */
  readonly lastFetchAt: Date | undefined;
  /** How many jobs the worker runs at most at once. */
  readonly concurrency: number;
  /** How many jobs the worker holds now: running, or with an outcome that is not yet recorded. */
  readonly running: number;
}

/** Describes how an engine does, as this process sees it. */
export interface EngineHealth {
  /** The engine's name. */
  readonly engine: string;
  /** Whether the store answers now. */
  readonly isReachable: boolean;
  /** How long the store took to answer, in milliseconds. Undefined if it did not answer. */
  readonly latencyMs: number | undefined;
  /** The workers of this process that have not stopped. */
  readonly workers: readonly WorkerHealth[];
}
