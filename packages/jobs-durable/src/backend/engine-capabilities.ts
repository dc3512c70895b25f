/**
 * Describes the features of an engine beyond storing and delivering jobs. The engine refuses a call that needs a missing one,
 * with an UnsupportedError or, for a payload, a PayloadError.
 */
export interface EngineCapabilities {
  /** Jobs outlive the process. */
  readonly persistence: boolean;
  /** `schedule` with a cron expression, `schedules` and `unschedule`. */
  readonly schedules: boolean;
  /** Several schedules of one job, told apart by `key`. */
  readonly scheduleKeys: boolean;
  /** `schedule` with `{ everyMs }`. */
  readonly intervals: boolean;
  /** `enqueue` within the caller's own database transaction. */
  readonly transactions: boolean;
  /** `priority` other than 0. */
  readonly priorities: boolean;
  /** `uniqueKey` and `uniqueForMs`. */
  readonly uniqueKeys: boolean;
  /** Payloads may contain `\u0000` and half surrogate pairs, which PostgreSQL cannot store. */
  readonly nullCharacters: boolean;
  /** `job`, `jobs`, `reschedule`, `cancelAll` and `redriveAll`: the store can be asked for the jobs that it has. */
  readonly listing: boolean;
  /** `result`: what a handler returns is stored. */
  readonly results: boolean;
  /** `progress` in handlers is stored. */
  readonly progress: boolean;
  /** `snooze` in handlers. */
  readonly snoozing: boolean;
}
