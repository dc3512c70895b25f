/** How many jobs are in which state. A job that has ended is counted as long as it is retained. */
export interface JobCounts {
  /** To run at a later time: enqueued for then, or waiting for their next attempt. */
  readonly scheduled: number;
  /** Ready to run: the backlog. */
  readonly waiting: number;
  /** Leased to a worker. */
  readonly running: number;
  /** Ended well, and still retained. */
  readonly succeeded: number;
  /** Failed for the last time, and still retained. */
  readonly deadLettered: number;
  /** Cancelled before or during their run, and still retained. */
  readonly cancelled: number;
  /** Since when the oldest waiting job could have run, or undefined if none is waiting. */
  readonly oldestWaitingAt: Date | undefined;
}

/** The counts of a job name without jobs. */
export const zeroCounts: JobCounts = {
  scheduled: 0,
  waiting: 0,
  running: 0,
  succeeded: 0,
  deadLettered: 0,
  cancelled: 0,
  oldestWaitingAt: undefined,
};
