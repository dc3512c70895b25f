import { isDate } from "node:util/types";
import { invalidArgument, invalidNumber, requireJobName, requireText } from "@nidus/jobs-core/adapter";
import type { JobBackend } from "../backend/job-backend.ts";
import { validDate } from "../backend/valid-date.ts";
import { UnsupportedError } from "../errors/errors.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import { isStorable } from "../job/storable.ts";

/** Long enough for anything that is a key, and short enough for an index. */
const maxKeyCharacters = 512;

/** The last one of four digits: stores differ in what they take beyond. */
const maxYear = 9999;

/** @throws TypeError or RangeError */
export function requireStorableText(what: string, text: string): void {
  requireText(what, text);
  if (text.length > maxKeyCharacters) {
    throw invalidNumber(what, `at most ${maxKeyCharacters} characters`, text.length);
  }
  if (!isStorable(text)) throw invalidArgument(what, "well-formed text without a null character", text);
}

/**
 * Refuses options that are no plain object: a Date in the place of `{ runAt }` would be ignored, since it has no keys.
 *
 * @throws TypeError
 */
export function requireOptions(options: object): void {
  if (typeof options !== "object" || options === null || isDate(options) || Symbol.iterator in options) {
    throw invalidArgument("the options", "a plain object", options);
  }
}

/** @throws TypeError for what is no durable job, for no job at all, or for two of one name. */
export function requireJobs(jobs: readonly AnyDurableJob[]): void {
  if (!Array.isArray(jobs) || jobs.length === 0)
    throw invalidArgument("`jobs`", "a non-empty array of durable jobs", jobs);
  const names = new Set<string>();
  for (const job of jobs as readonly AnyDurableJob[]) {
    requireDurableJob(job);
    if (names.has(job.name))
      throw new TypeError(`expected jobs of different names, got two named "${job.name}"`);
    names.add(job.name);
  }
}

/** @throws TypeError or RangeError for what is no durable job. */
export function requireDurableJob(job: AnyDurableJob): void {
  requireJobName(job);
  if (typeof job.perform !== "function")
    throw invalidArgument(`"${job.name}"`, "a job made by defineJob", job);
  requireStorableText("a job's `name`", job.name);
}

/** The name of a job, or the name itself. @throws TypeError for neither. */
export function jobNameOf(job: AnyDurableJob | string): string {
  if (typeof job === "string") requireText("`job`", job);
  else requireDurableJob(job);
  return typeof job === "string" ? job : job.name;
}

/**
 * Whether a text can be the id of a job at all: what no store holds is not asked for.
 *
 * @throws TypeError for what is no text, or an empty one.
 */
export function isJobId(jobId: string): boolean {
  requireText("`jobId`", jobId);
  return jobId.length <= maxKeyCharacters && isStorable(jobId);
}

/** Returns a date in Unix milliseconds. @throws TypeError or RangeError for a moment that not every store takes. */
export function requireMoment(what: string, date: Date): number {
  const valid = validDate(date);
  if (valid === undefined) throw invalidArgument(what, "a valid Date", date);
  if (valid.getTime() >= 0 && valid.getUTCFullYear() <= maxYear) return valid.getTime();
  throw invalidArgument(what, `a Date from 1970 to ${maxYear}`, valid.toISOString(), RangeError);
}

type Capable = Pick<JobBackend, "name" | "capabilities">;

/** @throws UnsupportedError */
export function requireListing({ name, capabilities }: Capable): void {
  if (!capabilities.listing) throw new UnsupportedError(`${name} cannot list its jobs`);
}

/** @throws UnsupportedError */
export function requireUniqueKeys({ name, capabilities }: Capable): void {
  if (!capabilities.uniqueKeys) throw new UnsupportedError(`${name} has no unique keys`);
}
