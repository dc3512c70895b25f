import type { JobError } from "@nidus/jobs-core";
import { invalidArgument, requireKnownKeys } from "@nidus/jobs-core/adapter";
import { maxTimerMs, requireMs, requireTimerMs } from "./timer.ts";

/** How long to wait before the next attempt: `baseMs` doubled with each attempt, at most `maxMs`, of which half is random. */
export interface ExponentialBackoff {
  /** Milliseconds, a whole number from 1. */
  readonly baseMs: number;
  /** Milliseconds, a whole number from `baseMs`. */
  readonly maxMs: number;
  readonly fixedMs?: undefined;
}

/** The same wait before each next attempt. */
export interface FixedBackoff {
  /** Milliseconds, a whole number from 0. */
  readonly fixedMs: number;
  readonly baseMs?: undefined;
  readonly maxMs?: undefined;
}

/** How long to wait before the next attempt. It is plain data, so an enqueue can store it with its job. */
export type JobBackoff = ExponentialBackoff | FixedBackoff;

/**
 * Returns the milliseconds to wait after a failed attempt, counted from 1. Fractions are rounded up, and waits cut at
 * 2,147,483,647 ms. If it throws or returns anything but a number from 0, the job waits as by default, and `onError` hears of it.
 */
export type BackoffFunction = (attempt: number, error: JobError) => number;

/** The wait if a job says nothing else. */
export const defaultBackoff: ExponentialBackoff = { baseMs: 250, maxMs: 30_000 };

/** How long an unreachable server is left alone before the next try: longer from time to time. */
export const outage: ExponentialBackoff = { baseMs: 250, maxMs: 5_000 };

/** Returns the milliseconds to wait after a failed attempt. Half of a growing wait is random, so that jobs that failed together come back apart. */
export function backoffMs(backoff: JobBackoff, attempt: number, random: number = Math.random()): number {
  if (backoff.fixedMs !== undefined) return backoff.fixedMs;
  const fullMs = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (attempt - 1));
  return Math.ceil(fullMs / 2 + (fullMs / 2) * random);
}

/**
 * Returns a copy of a backoff.
 *
 * @throws TypeError or RangeError if it is not as documented.
 */
export function requireBackoff(backoff: JobBackoff): JobBackoff {
  if (typeof backoff !== "object" || backoff === null)
    throw invalidArgument("`backoff`", "an object", backoff);
  const { fixedMs, baseMs, maxMs } = backoff;
  if (fixedMs !== undefined) {
    requireKnownKeys("`backoff` with `fixedMs`", backoff, ["fixedMs"]);
    requireMs("`backoff.fixedMs`", fixedMs);
    return { fixedMs };
  }
  requireKnownKeys("`backoff`", backoff, ["baseMs", "maxMs", "fixedMs"]);
  requireTimerMs("`backoff.baseMs`", baseMs);
  requireTimerMs("`backoff.maxMs`", maxMs);
  if (maxMs < baseMs)
    throw invalidArgument("`backoff.maxMs`", `at least \`baseMs\` (${baseMs})`, maxMs, RangeError);
  return { baseMs, maxMs };
}

/** Reads a stored backoff of any origin. Returns undefined for a value that `requireBackoff` would refuse. */
export function backoffFrom(stored: unknown): JobBackoff | undefined {
  try {
    return requireBackoff(stored as JobBackoff);
  } catch {
    return undefined;
  }
}

/** Returns the milliseconds until the next attempt. If a function gives none, they are those of the default, and `onError` hears of it. */
export function retryDelayMs(
  backoff: JobBackoff | BackoffFunction,
  attempt: number,
  error: JobError,
  onError: (error: unknown) => void,
): number {
  if (typeof backoff !== "function") return backoffMs(backoff, attempt);
  try {
    const returned: unknown = backoff(attempt, error);
    const delayMs = waitFrom(returned);
    if (delayMs !== undefined) return delayMs;
    // An async function may reject later.
    Promise.resolve(returned).catch(() => {});
    onError(invalidArgument("the result of `backoff`", "a number of milliseconds from 0", returned));
  } catch (thrown) {
    onError(thrown);
  }
  return backoffMs(defaultBackoff, attempt);
}

/** Returns a wait that a function gave: fractions are rounded up, and longer waits cut. Returns undefined if it is none. */
function waitFrom(returned: unknown): number | undefined {
  return typeof returned === "number" && returned >= 0
    ? Math.min(Math.ceil(returned), maxTimerMs)
    : undefined;
}
