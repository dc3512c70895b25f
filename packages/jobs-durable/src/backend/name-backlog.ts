import type { JobBacklog } from "@nidus/jobs-observe";

/** What waits and what has failed for the last time, of one job name. */
export interface NameBacklog extends JobBacklog {
  /** How many dead letters are retained. */
  readonly deadLettered: number;
  /** When the oldest of them failed for the last time, or undefined if there is none. */
  readonly oldestDeadLetterAt: Date | undefined;
}
