/** The JSON that the page's browser code reads. Times are Unix milliseconds. */

/** How a job does, worst first. */
export type JobState = "failing" | "stuck" | "late" | "no-worker" | "slow" | "fine";

/** Who asks, and what the page can show. */
export interface SessionView {
  readonly title: string;
  /** The server's clock, so that the browser shows right ages. */
  readonly now: number;
  readonly access: "read" | "operate";
  /** The service whose process feeds the page, or null if nothing feeds it. */
  readonly process: { readonly service: string | null; readonly pid: number; readonly host: string } | null;
  readonly engines: readonly EngineIdentity[];
  /** `redact` decides about payloads. Otherwise they are hidden. */
  readonly showsPayloads: boolean;
  /** Engines of this process that the page does not watch. */
  readonly unwatched: readonly string[];
}

/** An engine that the page watches, and its optional features. */
export interface EngineIdentity {
  readonly key: string;
  readonly name: string;
  /** Jobs can be listed by name and state. Otherwise only dead letters are. */
  readonly canList: boolean;
  /** All jobs that match can be cancelled or redriven at once. */
  readonly canChangeAll: boolean;
  readonly canReschedule: boolean;
  readonly hasSchedules: boolean;
}

/** A reading of a store. */
export interface Reading {
  /** The store has answered at least once. */
  readonly isRead: boolean;
  /** Why the latest reading failed, or null. */
  readonly error: string | null;
  /** When the shown values were read, if a later reading failed. */
  readonly readAt: number | null;
}

/** The runs of a job in this process. */
export interface ProcessFigures {
  readonly perMinute: number;
  readonly finishedInHour: number;
  readonly failedInHour: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly running: number;
  readonly oldestRunningAt: number | null;
  readonly lastSuccessAt: number | null;
  readonly retries: number;
  readonly deadLettered: number;
  readonly lastError: string | null;
  /** Runs that finished in each of the last 60 minutes, the current one last, and how many of them failed. */
  readonly finished: readonly number[];
  readonly failed: readonly number[];
}

/** The counts of a job in the watched stores. */
export interface StoredFigures {
  readonly scheduled: number;
  readonly waiting: number;
  readonly running: number;
  readonly deadLetters: number;
  readonly oldestWaitingAt: number | null;
}

export interface OverviewJob {
  readonly name: string;
  readonly state: JobState;
  readonly reason: string;
  readonly process: ProcessFigures | null;
  readonly stored: StoredFigures | null;
}

export interface OverviewView {
  readonly jobs: readonly OverviewJob[];
  readonly engines: readonly (Reading & { readonly name: string })[];
  /** Job names that are counted together, because there are too many. */
  readonly namesBeyondLimit: number;
  /** Failures whose details were dropped, because too many came at once. */
  readonly failuresDropped: number;
}

/** An error as text. */
export interface ErrorText {
  readonly className: string;
  readonly code: string | null;
  readonly message: string;
  readonly stack: string;
  /** From the error's own cause to the deepest. */
  readonly causes: readonly { readonly className: string; readonly message: string }[];
}

export interface FailureSample {
  readonly runId: string | null;
  readonly jobId: string | null;
  readonly at: number;
  readonly message: string;
  readonly traceId: string | null;
  readonly traceUrl: string | null;
}

export interface FailureGroup {
  readonly key: string;
  /** The engine's key for dead letters, or null for failed runs of this process. */
  readonly engine: string | null;
  readonly jobName: string;
  /** Null if the store keeps the message alone. */
  readonly className: string | null;
  readonly frame: string | null;
  /** The message with ids, numbers and quoted texts replaced. */
  readonly message: string;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly samples: readonly FailureSample[];
  /** The ids of all dead letters of the group. Empty for failed runs. */
  readonly jobIds: readonly string[];
}

export interface FailuresView {
  readonly groups: readonly FailureGroup[];
  /** How many of the latest failures of this process are kept at most, and how many were dropped before they were read. */
  readonly kept: number;
  readonly dropped: number;
  readonly engines: readonly (Reading & {
    readonly key: string;
    readonly limit: number;
    readonly isFull: boolean;
  })[];
}

export interface DeliveryFacts {
  readonly engine: string;
  /** The key of the watched engine of that name, or null. */
  readonly engineKey: string | null;
  readonly queue: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly enqueuedAt: number | null;
  readonly runAt: number | null;
  readonly correlationId: string | null;
}

/** A value of null is hidden. */
export type ShownAttributes = Readonly<Record<string, string | number | boolean | null>>;

export interface RunFacts {
  readonly runId: string;
  readonly jobName: string;
  readonly status: "running" | "success" | "failure" | "cancelled";
  readonly startedAt: number;
  readonly durationMs: number | null;
  readonly attributes: ShownAttributes;
  readonly delivery: DeliveryFacts | null;
  readonly traceId: string | null;
  readonly traceUrl: string | null;
}

export interface RunningRun extends RunFacts {
  readonly p95Ms: number | null;
  /** The job's objective for one run. */
  readonly finishWithinMs: number | null;
  /** When one attempt is cut off. */
  readonly timeoutMs: number | null;
  readonly progress: { readonly fraction: number; readonly note: string | null } | null;
}

export interface RunningView {
  readonly runs: readonly RunningRun[];
  /** Runs that are not listed, because there are too many. */
  readonly beyondLimit: number;
  /** Running jobs in stores, over all processes. */
  readonly stored: readonly (Reading & { readonly name: string; readonly running: number })[];
}

/** A finished run in the strip of a job. */
export interface StripRun {
  readonly runId: string;
  readonly status: "success" | "failure" | "cancelled";
  readonly startedAt: number;
  readonly durationMs: number;
  readonly waitMs: number | null;
}

/** An objective or option of a job: a duration in milliseconds, or a number. The other one is null. */
export interface JobLimit {
  readonly label: string;
  readonly ms: number | null;
  readonly number: number | null;
}

export interface JobView {
  readonly job: OverviewJob | null;
  /** The latest runs, oldest first. */
  readonly runs: readonly StripRun[];
  /** The objectives of its owner, and the options in the definition of a stored job. */
  readonly limits: readonly JobLimit[];
  readonly schedules: readonly ScheduleRow[];
  readonly engines: readonly string[];
}

export interface RunView {
  readonly run: RunFacts | null;
  readonly error: ErrorText | null;
  /** The error was there, and its details are no longer kept. */
  readonly errorIsGone: boolean;
}

export interface ScheduleRow {
  readonly engine: string;
  readonly jobName: string;
  readonly key: string | null;
  readonly cron: string | null;
  readonly everyMs: number | null;
  readonly timeZone: string | null;
  readonly nextRunAt: number | null;
  readonly lastScheduledAt: number | null;
  readonly lastSuccessAt: number | null;
}
