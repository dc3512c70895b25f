import { nextMoment, type ScheduleRule, scheduleRuleFrom } from "@nidus/jobs-durable/backend";
import type { RepeatOptions } from "bullmq";
import type { Clock } from "../bullmq-internals/index.ts";

/** How an interval stands in the place of a cron expression: BullMQ's own intervals go on beyond the end of a schedule. */
const interval = /^every (\d+) ms$/;

/** Returns the options of a job scheduler that is due at the moments of a rule. */
export function repeatOptionsOf(rule: ScheduleRule): RepeatOptions {
  const { cron, everyMs, timeZone, startAtMs, endAtMs } = rule;
  return {
    pattern: cron ?? `every ${everyMs} ms`,
    tz: timeZone,
    ...(startAtMs !== undefined && { startDate: startAtMs }),
    ...(endAtMs !== undefined && { endDate: endAtMs }),
  };
}

/**
 * Returns the moment at which a job scheduler is due next, in Unix milliseconds, for queues and workers: the same moments as on every
 * other engine. BullMQ computes those of patterns that the engine has not stored.
 */
export async function repeatStrategy(afterMs: number, options: RepeatOptions): Promise<number | undefined> {
  const rule = ruleOf(options);
  if (rule !== undefined) return nextMoment(rule, afterMs);
  // Older versions of BullMQ do not export it, and the wrapper for processors must load with them.
  const { defaultRepeatStrategy } = await import("bullmq");
  return defaultRepeatStrategy(afterMs, options);
}

/**
 * Returns the `repeatStrategy` of a worker. Redis makes a run due by its own clock. If that is ahead of the worker's, all moments in between
 * would be due at once.
 */
export function repeatStrategyBy(clock: Clock): typeof repeatStrategy {
  return (afterMs, options) =>
    repeatStrategy(clock.offsetMs > 0 ? Math.max(afterMs, clock.now()) : afterMs, options);
}

function ruleOf({ pattern, tz = "UTC", startDate, endDate }: RepeatOptions): ScheduleRule | undefined {
  const everyMs = interval.exec(pattern ?? "")?.[1];
  return scheduleRuleFrom({
    ...(everyMs === undefined ? { cron: pattern } : { everyMs: Number(everyMs) }),
    timeZone: tz,
    ...(startDate !== undefined && { startAtMs: new Date(startDate).getTime() }),
    ...(endDate !== undefined && { endAtMs: new Date(endDate).getTime() }),
  });
}
