import type { WorkerReport } from "./job-worker.ts";

/** The counts of a worker's report, as they grow. */
export type WorkerCounts = { -readonly [Count in keyof WorkerReport]: number };

export function newCounts(): WorkerCounts {
  return {
    started: 0,
    succeeded: 0,
    retried: 0,
    snoozed: 0,
    deadLettered: 0,
    cancelled: 0,
    interrupted: 0,
    abandoned: 0,
  };
}
