/** The counts of jobs that the page reads. */
export interface WatchedCounts {
  readonly scheduled: number;
  readonly waiting: number;
  readonly running: number;
  readonly succeeded: number;
  readonly deadLettered: number;
  readonly cancelled: number;
  readonly oldestWaitingAt: Date | undefined;
}

/** A job that an engine has stored, as `JobEngine.job` and `JobEngine.jobs` describe it. */
export interface WatchedJob {
  readonly id: string;
  readonly jobName: string;
  readonly state: string;
  readonly attempt: number;
  readonly maxAttempts?: number | undefined;
  readonly enqueuedAt?: Date | undefined;
  readonly runAt?: Date | undefined;
  readonly startedAt?: Date | undefined;
  readonly finishedAt?: Date | undefined;
  readonly priority?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly progress?: { readonly fraction: number; readonly note?: string | undefined } | undefined;
  readonly errors?:
    | readonly {
        readonly attempt: number;
        readonly message?: string | undefined;
        readonly at?: Date | undefined;
      }[]
    | undefined;
  readonly payload?: unknown;
}

/** Which stored jobs are listed. */
export interface WatchedQuery {
  readonly jobName?: string;
  readonly state?: "scheduled" | "waiting" | "running" | "succeeded" | "dead-lettered" | "cancelled";
  readonly limit?: number;
  readonly cursor?: string;
}

/** A schedule of an engine. */
export interface WatchedSchedule {
  readonly jobName: string;
  readonly key?: string | undefined;
  readonly cron?: string | undefined;
  readonly everyMs?: number | undefined;
  readonly timeZone?: string | undefined;
  readonly nextRunAt?: Date | undefined;
  readonly lastScheduledAt?: Date | undefined;
}

/** The parts of a `JobEngine` that the page uses. Views and actions that need a missing member are left out. */
export interface WatchedEngine {
  readonly name: string;
  /** A member whose capability is false is not called. */
  readonly capabilities?: { readonly listing?: boolean; readonly schedules?: boolean } | undefined;
  stats(): Promise<WatchedCounts & { readonly byName: Readonly<Record<string, WatchedCounts>> }>;
  deadLetters(options?: { readonly limit?: number }): Promise<
    readonly {
      readonly id: string;
      readonly jobName: string;
      readonly payload: unknown;
      readonly attempts: number;
      readonly error: string;
      readonly failedAt: Date;
    }[]
  >;
  cancel(jobId: string): Promise<boolean>;
  redrive(jobId: string): Promise<boolean>;
  job?(jobId: string, options?: { readonly withPayload?: boolean }): Promise<WatchedJob | undefined>;
  jobs?(
    query?: WatchedQuery,
  ): Promise<{ readonly jobs: readonly WatchedJob[]; readonly cursor: string | undefined }>;
  reschedule?(jobId: string, runAt: Date): Promise<boolean>;
  cancelAll?(query: { readonly jobName: string; readonly limit?: number }): Promise<number>;
  redriveAll?(query?: {
    readonly jobName?: string;
    readonly error?: string;
    readonly limit?: number;
  }): Promise<number>;
  schedules?(query?: { readonly jobName?: string }): Promise<readonly WatchedSchedule[]>;
  health?(): Promise<{
    readonly isReachable: boolean;
    readonly latencyMs?: number | undefined;
    readonly workers?: readonly object[] | undefined;
  }>;
}
