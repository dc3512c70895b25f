/** Milliseconds between two runs, in place of a cron expression. */
export interface ScheduleInterval {
  /**
   * How long from one moment to the next, in milliseconds: a whole number from 1 to 100 years. The moments are counted from
   * `startAt`, or else from the beginning of 1970 in UTC, so that a restart does not move them.
   */
  readonly everyMs: number;
}

/** How a job is scheduled. */
export interface ScheduleOptions {
  /** An IANA time zone for the cron expression, such as "Europe/Vienna". @default "UTC" */
  readonly timeZone?: string | undefined;
  /** Tells several schedules of one job apart. @default one schedule per job */
  readonly key?: string | undefined;
  /** No run is due before this moment. Pass the same moment each time: another one makes another schedule. @default no bound */
  readonly startAt?: Date | undefined;
  /** No run is due after this moment. The schedule ends with its last run. @default no bound */
  readonly endAt?: Date | undefined;
}

/** Which schedule of a job ends. */
export interface UnscheduleOptions {
  /** That of the schedule, if it has one. @default the schedule without a key */
  readonly key?: string | undefined;
}

/** Which schedules are listed. */
export interface SchedulesQuery {
  /** @default those of every name */
  readonly jobName?: string | undefined;
}

/** A schedule as the engine has it. */
export interface JobSchedule {
  /** The name of the job. The code may no longer have it. */
  readonly jobName: string;
  /** Undefined for the schedule without a key. */
  readonly key: string | undefined;
  /** The cron expression. Undefined for an interval. */
  readonly cron: string | undefined;
  /** The interval in milliseconds. Undefined for a cron expression. */
  readonly everyMs: number | undefined;
  /** The time zone of the cron expression. */
  readonly timeZone: string;
  /** No run is due before this moment. */
  readonly startAt: Date | undefined;
  /** No run is due after this moment. */
  readonly endAt: Date | undefined;
  /**
   * When the next run is due, or the moment to which you rescheduled it. In the past if that run is late, since no worker has started
   * it.
   */
  readonly nextRunAt: Date | undefined;
  /**
   * The last moment at which a run was due, whether it ran or not. Never in the future. Undefined before the first such moment
   * after the schedule was made.
   */
  readonly lastScheduledAt: Date | undefined;
}
