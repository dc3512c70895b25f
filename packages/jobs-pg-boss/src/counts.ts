import type { JobCounts } from "@nidus/jobs-durable";
import { noJobs } from "@nidus/jobs-durable/backend";
import type { JobBacklog } from "@nidus/jobs-observe";
import { jobName } from "./queue-name.ts";

const columns: Readonly<Record<string, "running" | "succeeded" | "deadLettered" | "cancelled">> = {
  active: "running",
  completed: "succeeded",
  failed: "deadLettered",
  cancelled: "cancelled",
};

/** Rows of the counting statement, one for each name and state, as counts by job name. */
export function countsFrom(rows: readonly Record<string, unknown>[]): Map<string, JobCounts> {
  const counts = new Map<string, JobCounts>();
  for (const row of rows) {
    const {
      name: queue,
      state,
      is_scheduled: isScheduled,
      count,
      oldest,
    } = row as {
      name: string;
      state: string;
      is_scheduled: boolean;
      count: number;
      /** Null for dates that JavaScript does not have. */
      oldest: Date | null;
    };
    if (isInternal(queue)) continue;
    const name = jobName(queue);
    const before = counts.get(name) ?? noJobs;
    const column = columns[state];
    if (column !== undefined) counts.set(name, { ...before, [column]: before[column] + count });
    else if (isScheduled) counts.set(name, { ...before, scheduled: before.scheduled + count });
    else
      counts.set(name, {
        ...before,
        waiting: before.waiting + count,
        oldestWaitingAt: earlier(before.oldestWaitingAt, oldest),
      });
  }
  return counts;
}

/** Rows of the backlog statement, one for each queue. */
export function backlogFrom(rows: readonly Record<string, unknown>[]): JobBacklog[] {
  return rows
    .filter(({ name }) => !isInternal(name as string))
    .map(({ name, count, oldest }) => ({
      jobName: jobName(name as string),
      waiting: count as number,
      oldestWaitingAt: (oldest as Date | null) ?? undefined,
    }));
}

/** Queues of pg-boss's own are none of ours. */
function isInternal(queue: string): boolean {
  return queue.startsWith("__pgboss__");
}

function earlier(a: Date | undefined, b: Date | null): Date | undefined {
  if (b === null) return a;
  return a !== undefined && a < b ? a : b;
}
