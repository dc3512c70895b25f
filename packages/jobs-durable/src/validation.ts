import { refusal, requireJob, requireWholeNumber } from "@nidus/jobs-core";
import type { DurableEngineOptions } from "./durable-engine.ts";
import type { AnyDurableJob, EnqueueOptions } from "./engine.ts";
import { isStorable } from "./storable.ts";
import { requireTimerMs } from "./timer.ts";

/** Long enough for anything that is a key, and short enough for an index. */
const maxKeyCharacters = 512;

/**
 * For engines, to be called before anything is opened.
 *
 * @throws TypeError or RangeError
 */
export function requireEngineOptions({ runner, onError, answerWithinMs }: DurableEngineOptions): void {
  if (typeof runner?.runAsync !== "function" || typeof runner.opened !== "function") {
    throw refusal("`runner`", "an ObservedJobRunner", runner);
  }
  if (onError !== undefined && typeof onError !== "function")
    throw refusal("`onError`", "a function", onError);
  if (answerWithinMs !== undefined) requireTimerMs("`answerWithinMs`", answerWithinMs);
}

/** The last one of four digits: stores differ in what they take beyond. */
const maxYear = 9999;

/** @throws TypeError or RangeError */
export function requireEnqueueOptions(options: EnqueueOptions): EnqueueOptions {
  if (typeof options !== "object" || options === null) throw refusal("the options", "an object", options);
  const { runAt, idempotencyKey, correlationId, maxAttempts } = options;
  if (runAt !== undefined && !(runAt instanceof Date && Number.isFinite(runAt.getTime()))) {
    throw refusal("`runAt`", "a valid Date", runAt);
  }
  if (runAt !== undefined && !(runAt.getTime() >= 0 && runAt.getUTCFullYear() <= maxYear)) {
    throw refusal("`runAt`", `a Date from 1970 to ${maxYear}`, runAt.toISOString(), RangeError);
  }
  if (idempotencyKey !== undefined) requireText("`idempotencyKey`", idempotencyKey);
  if (correlationId !== undefined) requireText("`correlationId`", correlationId);
  if (maxAttempts !== undefined) requireWholeNumber("`maxAttempts`", maxAttempts);
  return options;
}

/** @throws TypeError or RangeError */
export function requireText(what: string, text: string): void {
  if (typeof text !== "string" || text === "") throw refusal(what, "a non-empty string", text);
  if (text.length > maxKeyCharacters) {
    throw refusal(what, `at most ${maxKeyCharacters} characters`, `${text.length} characters`, RangeError);
  }
  if (!isStorable(text)) throw refusal(what, "well-formed text without a null character", text);
}

/** @throws TypeError for what is no durable job, for no job at all, or for two of one name. */
export function requireJobs(jobs: readonly AnyDurableJob[]): void {
  if (!Array.isArray(jobs) || jobs.length === 0)
    throw refusal("`jobs`", "a non-empty array of durable jobs", jobs);
  const names = new Set<string>();
  for (const job of jobs as readonly AnyDurableJob[]) {
    requireJob(job);
    if (typeof job.perform !== "function") throw refusal(`"${job.name}"`, "a job made by defineJob", job);
    requireText("a job's `name`", job.name);
    if (names.has(job.name))
      throw new TypeError(`expected jobs of different names, got two named "${job.name}"`);
    names.add(job.name);
  }
}

/** @throws TypeError for a name that Intl does not know. */
export function requireTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    throw refusal("`timeZone`", "an IANA time zone", timeZone);
  }
}
