import type { JobCounts } from "../backend/job-counts.ts";
import type { MemoryJob } from "./memory-job.ts";

/** Returns the counts that a job changes. */
export function counted({ state, runAtMs }: MemoryJob, before: JobCounts, now: number): Partial<JobCounts> {
  if (state === "running") return { running: before.running + 1 };
  if (state === "succeeded") return { succeeded: before.succeeded + 1 };
  if (state === "dead-lettered") return { deadLettered: before.deadLettered + 1 };
  if (state === "cancelled") return { cancelled: before.cancelled + 1 };
  if (runAtMs > now) return { scheduled: before.scheduled + 1 };
  const oldestMs = Math.min(runAtMs, before.oldestWaitingAt?.getTime() ?? Infinity);
  return { waiting: before.waiting + 1, oldestWaitingAt: new Date(oldestMs) };
}
