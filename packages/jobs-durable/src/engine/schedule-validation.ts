import { invalidArgument, requireKnownKeys } from "@nidus/jobs-core/adapter";
import { UnsupportedError } from "../errors/errors.ts";
import { requireInRange } from "../job/whole-number.ts";
import { nextMoment, type ScheduleRule } from "../schedule/schedule-rule.ts";
import { ZoneClock } from "../schedule/zone-clock.ts";
import type { JobEngine } from "./job-engine.ts";
import type { ScheduleInterval, ScheduleOptions } from "./job-schedule.ts";
import { requireMoment, requireOptions, requireStorableText } from "./validation.ts";

/** 100 years. */
const maxEveryMs = 100 * 365 * 24 * 60 * 60 * 1000;

/**
 * Makes the rule of a schedule. Every engine takes the same cron expressions.
 *
 * @throws TypeError or RangeError for what is not as documented; UnsupportedError for what the engine cannot.
 */
export function requireScheduleRule(
  engine: Pick<JobEngine, "name" | "capabilities">,
  when: string | ScheduleInterval,
  options: ScheduleOptions,
): ScheduleRule {
  requireOptions(options);
  requireKnownKeys("the options of `schedule`", options, ["timeZone", "key", "startAt", "endAt"]);
  const { timeZone = "UTC", key, startAt, endAt } = options;
  requireTimeZone(timeZone);
  const startAtMs = startAt === undefined ? undefined : requireMoment("`startAt`", startAt);
  const endAtMs = endAt === undefined ? undefined : requireMoment("`endAt`", endAt);
  if (startAtMs !== undefined && endAtMs !== undefined && endAtMs < startAtMs) {
    throw invalidArgument("`endAt`", "a Date from `startAt`", endAt?.toISOString(), RangeError);
  }
  const bounds = { key, timeZone, startAtMs, endAtMs };
  const rule: ScheduleRule =
    typeof when === "string" ? { cron: when, ...bounds } : { everyMs: intervalOf(when), ...bounds };
  if (rule.cron !== undefined) requireCron(rule.cron, timeZone);
  requireSchedules(engine, key);
  if (rule.everyMs !== undefined && !engine.capabilities.intervals) {
    throw new UnsupportedError(`${engine.name} has no schedules with an interval`);
  }
  return rule;
}

/** @throws UnsupportedError if an engine has no schedules, or none with keys; TypeError or RangeError for a key that is none. */
export function requireSchedules(
  { name, capabilities }: Pick<JobEngine, "name" | "capabilities">,
  key: string | undefined,
): void {
  if (!capabilities.schedules) throw new UnsupportedError(`${name} has no schedules`);
  if (key === undefined) return;
  requireStorableText("`key`", key);
  if (!capabilities.scheduleKeys) {
    throw new UnsupportedError(`${name} has one schedule per job, and no \`key\` to tell several apart`);
  }
}

function intervalOf(when: ScheduleInterval): number {
  if (typeof when !== "object" || when === null) {
    throw invalidArgument("the schedule", "a cron expression or { everyMs }", when);
  }
  requireKnownKeys("the interval", when, ["everyMs"]);
  return requireInRange("`everyMs`", when.everyMs, 1, maxEveryMs);
}

/** @throws TypeError for an expression that is none, or that never comes due. */
function requireCron(cron: string, timeZone: string): void {
  requireStorableText("`cron`", cron);
  if (!/^\s*\S+(\s+\S+){4,5}\s*$/.test(cron)) {
    throw invalidArgument("`cron`", "a cron expression of five or six fields", cron);
  }
  let next: number | undefined;
  try {
    next = nextMoment({ cron, timeZone }, Date.now());
  } catch (error) {
    const { message } = error as Error;
    throw new TypeError(`expected \`cron\` to be a cron expression, got "${cron}" (${message})`, {
      cause: error,
    });
  }
  if (next === undefined) {
    throw new TypeError(`expected \`cron\` to come due, got "${cron}", which never does`);
  }
}

/** @throws TypeError for a name that Intl does not know. */
function requireTimeZone(timeZone: string): void {
  try {
    if (typeof timeZone === "string") return void new ZoneClock(timeZone);
  } catch {
    // Said below.
  }
  throw invalidArgument("`timeZone`", "an IANA time zone", timeZone);
}
