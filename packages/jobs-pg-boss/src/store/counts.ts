import type { JobCounts } from "@nidus/jobs-durable";
import { type NameBacklog, zeroCounts } from "@nidus/jobs-durable/backend";
import type { Row } from "../database/run-sql.ts";
import { jobName } from "./queue-name.ts";
import { scheduleQueue } from "./schedule-statements.ts";

const columns: Readonly<Record<string, "running" | "succeeded" | "deadLettered" | "cancelled">> = {
  active: "running",
  completed: "succeeded",
  failed: "deadLettered",
  cancelled: "cancelled",
};

/** A row of the statements `live` and `all`. */
interface CountRow {
  readonly name: string;
  readonly state: string;
  readonly is_scheduled: boolean;
  readonly count: number;
  /** Null if JavaScript has no such date. */
  readonly oldest: Date | null;
}

/** Adds the rows of the statements `live` and `all` up by job name. */
export function countsFrom(rows: readonly Row[]): Map<string, JobCounts> {
  const counts = new Map<string, JobCounts>();
  for (const {
    name: queue,
    state,
    is_scheduled: isScheduled,
    count,
    oldest,
  } of rows as readonly CountRow[]) {
    if (isInternal(queue)) continue;
    const name = jobName(queue);
    const before = counts.get(name) ?? zeroCounts;
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

/** Converts the rows of the statement `backlog`, one for each queue. */
export function backlogFrom(rows: readonly Row[]): NameBacklog[] {
  return rows
    .filter(({ name }) => !isInternal(name))
    .map(({ name, count, oldest, dead_lettered, oldest_dead_letter }) => ({
      jobName: jobName(name),
      waiting: count,
      oldestWaitingAt: oldest ?? undefined,
      deadLettered: dead_lettered,
      oldestDeadLetterAt: oldest_dead_letter ?? undefined,
    }));
}

/** Tells whether a queue is pg-boss's own or that of the schedules, which no count includes. */
function isInternal(queue: string): boolean {
  return queue.startsWith("__pgboss__") || queue === scheduleQueue;
}

function earlier(a: Date | undefined, b: Date | null): Date | undefined {
  if (b === null) return a;
  return a !== undefined && a < b ? a : b;
}
