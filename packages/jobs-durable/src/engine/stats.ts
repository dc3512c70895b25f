import type { DeadLetterCount, JobBacklog } from "@nidus/jobs-observe";
import type { DeadLetter } from "../backend/dead-letter.ts";
import { type JobCounts, zeroCounts } from "../backend/job-counts.ts";
import type { NameBacklog } from "../backend/name-backlog.ts";
import { validDate } from "../backend/valid-date.ts";
import type { JobStats } from "./job-engine.ts";

/** The sums, with what they are made of. */
export function statsFrom(counts: ReadonlyMap<string, JobCounts>): JobStats {
  let all = zeroCounts;
  // Names are untrusted: without a prototype, there is none that was not counted.
  const byName = Object.create(null) as Record<string, JobCounts>;
  for (const [name, each] of counts) {
    byName[name] = { ...each, oldestWaitingAt: validDate(each.oldestWaitingAt) };
    all = sum(all, byName[name]);
  }
  return { ...all, byName };
}

function sum(a: JobCounts, b: JobCounts): JobCounts {
  return {
    scheduled: a.scheduled + b.scheduled,
    waiting: a.waiting + b.waiting,
    running: a.running + b.running,
    succeeded: a.succeeded + b.succeeded,
    deadLettered: a.deadLettered + b.deadLettered,
    cancelled: a.cancelled + b.cancelled,
    oldestWaitingAt: earlier(a.oldestWaitingAt, b.oldestWaitingAt),
  };
}

function earlier(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** A backlog with valid dates alone: other programs write to stores, too. */
export function backlogFrom(backlog: readonly NameBacklog[]): readonly JobBacklog[] {
  return backlog.map(({ jobName, waiting, oldestWaitingAt }) => ({
    jobName,
    waiting,
    oldestWaitingAt: validDate(oldestWaitingAt),
  }));
}

/** The dead letters of each name, with valid dates alone. */
export function deadLetterCountsFrom(backlog: readonly NameBacklog[]): readonly DeadLetterCount[] {
  return backlog.map(({ jobName, deadLettered, oldestDeadLetterAt }) => ({
    jobName,
    count: deadLettered,
    oldestAt: validDate(oldestDeadLetterAt),
  }));
}

/** Dead letters with valid dates alone. */
export function deadLettersFrom(deadLetters: readonly DeadLetter[]): readonly DeadLetter[] {
  return deadLetters.map((each) => ({ ...each, failedAt: validDate(each.failedAt) ?? new Date(0) }));
}
