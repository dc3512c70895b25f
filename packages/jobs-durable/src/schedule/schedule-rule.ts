import { CronMoments } from "./cron-moments.ts";

/** When a schedule is due. It has `cron` or `everyMs`. Everything in it is JSON. */
export interface ScheduleRule {
  /** Tells several schedules of one job apart. Undefined for the schedule without a key. */
  readonly key?: string | undefined;
  /** A cron expression of five or six fields. */
  readonly cron?: string | undefined;
  /** Milliseconds from one moment to the next: counted from `startAtMs`, or else from the beginning of 1970. */
  readonly everyMs?: number | undefined;
  /** The IANA time zone of `cron`. */
  readonly timeZone: string;
  /** No moment is before this one, in Unix milliseconds. */
  readonly startAtMs?: number | undefined;
  /** No moment is after this one, in Unix milliseconds. */
  readonly endAtMs?: number | undefined;
}

/** Returns the first moment after another at which a schedule is due, in Unix milliseconds. Undefined if there is none. */
export function nextMoment(rule: ScheduleRule, afterMs: number): number | undefined {
  const { startAtMs = Number.NEGATIVE_INFINITY, endAtMs = Number.POSITIVE_INFINITY } = rule;
  const momentMs = momentsOf(rule).next(Math.max(afterMs, startAtMs - 1));
  return momentMs !== undefined && momentMs <= endAtMs ? momentMs : undefined;
}

/**
 * Returns the last moment at which a schedule was due, after one moment and not after another. Undefined if it was not due between
 * the two.
 */
export function latestMoment(rule: ScheduleRule, afterMs: number, untilMs: number): number | undefined {
  const { startAtMs = Number.NEGATIVE_INFINITY, endAtMs = Number.POSITIVE_INFINITY } = rule;
  const momentMs = momentsOf(rule).latest(Math.min(untilMs, endAtMs));
  return momentMs !== undefined && momentMs > afterMs && momentMs >= startAtMs ? momentMs : undefined;
}

type Moments = Pick<CronMoments, "next" | "latest">;

function momentsOf({ cron, everyMs, timeZone, startAtMs = 0 }: ScheduleRule): Moments {
  if (cron !== undefined) return new CronMoments(cron, timeZone);
  const every = everyMs as number;
  return {
    next: (afterMs) => startAtMs + (Math.floor((afterMs - startAtMs) / every) + 1) * every,
    latest: (untilMs) => startAtMs + Math.floor((untilMs - startAtMs) / every) * every,
  };
}

/** Reads a rule from a store, to which other programs may write. Returns undefined for what is no rule. */
export function scheduleRuleFrom(stored: unknown): ScheduleRule | undefined {
  const rule = (stored ?? {}) as ScheduleRule;
  const { key, cron, everyMs, timeZone, startAtMs, endAtMs } = rule;
  const areTexts = [key, cron].every((each) => each === undefined || typeof each === "string");
  const areMoments = [startAtMs, endAtMs].every((each) => each === undefined || isMoment(each));
  const isInterval = Number.isSafeInteger(everyMs) && (everyMs as number) > 0;
  if (!areTexts || !areMoments || (cron === undefined) !== isInterval) return undefined;
  try {
    if (cron !== undefined) new CronMoments(cron, timeZone);
  } catch {
    return undefined;
  }
  return { key, cron, everyMs, timeZone: String(timeZone), startAtMs, endAtMs };
}

function isMoment(value: unknown): boolean {
  return Number.isSafeInteger(value) && !Number.isNaN(new Date(value as number).getTime());
}
