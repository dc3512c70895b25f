/** A job that failed for the last time. */
export interface DeadLetter {
  /** The job's id, by which it is redriven. */
  readonly id: string;
  /** The job's name. */
  readonly jobName: string;
  /** As it was stored: the schema's input. */
  readonly payload: unknown;
  /** How many attempts were made. */
  readonly attempts: number;
  /** The message of the last attempt's error. */
  readonly error: string;
  /** When its last attempt ended. */
  readonly failedAt: Date;
}
