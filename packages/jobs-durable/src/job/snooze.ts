import { requireInRange } from "./whole-number.ts";

/** The longest snooze: a year. Stores keep a job for longer than that. */
const maxSnoozeMs = 365 * 24 * 60 * 60 * 1000;

/** Thrown by `snooze` in a handler, for the execution to recognise. */
export class JobSnooze extends Error {
  readonly delayMs: number;

  static {
    JobSnooze.prototype.name = "JobSnooze";
  }

  /** @throws TypeError or RangeError for a delay that is not a whole number from 0 to a year. */
  constructor(delayMs: number) {
    super(`the job runs again in ${requireInRange("`ms` of `snooze`", delayMs, 0, maxSnoozeMs)} ms`);
    this.delayMs = delayMs;
  }
}
