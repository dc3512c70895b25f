import { invalidArgument, requireJobName, requireText } from "@nidus/jobs-core/adapter";
import { UnsupportedError } from "../errors/errors.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import { isStorable } from "../job/storable.ts";
import type { JobEngine } from "./job-engine.ts";

/** Long enough for anything that is a key, and short enough for an index. */
const maxKeyCharacters = 512;

/** @throws TypeError or RangeError */
export function requireStorableText(what: string, text: string): void {
  requireText(what, text);
  if (text.length > maxKeyCharacters) {
    throw invalidArgument(
      what,
      `at most ${maxKeyCharacters} characters`,
      `${text.length} characters`,
      RangeError,
    );
  }
  if (!isStorable(text)) throw invalidArgument(what, "well-formed text without a null character", text);
}

/** @throws TypeError for what is no durable job, for no job at all, or for two of one name. */
export function requireJobs(jobs: readonly AnyDurableJob[]): void {
  if (!Array.isArray(jobs) || jobs.length === 0)
    throw invalidArgument("`jobs`", "a non-empty array of durable jobs", jobs);
  const names = new Set<string>();
  for (const job of jobs as readonly AnyDurableJob[]) {
    requireJobName(job);
    if (typeof job.perform !== "function")
      throw invalidArgument(`"${job.name}"`, "a job made by defineJob", job);
    requireStorableText("a job's `name`", job.name);
    if (names.has(job.name))
      throw new TypeError(`expected jobs of different names, got two named "${job.name}"`);
    names.add(job.name);
  }
}

/** The name of a job, or the name itself. @throws TypeError for neither. */
export function jobNameOf(job: AnyDurableJob | string): string {
  if (typeof job === "string") requireText("`job`", job);
  else requireJobs([job]);
  return typeof job === "string" ? job : job.name;
}

/** The parsers of the stores fill in missing fields: "5" would be a schedule that the caller cannot have meant. @throws TypeError */
export function requireCronFields(cron: string): void {
  requireStorableText("`cron`", cron);
  if (/^\s*\S+(\s+\S+){4,5}\s*$/.test(cron)) return;
  throw invalidArgument("`cron`", "a cron expression of five or six fields", cron);
}

/** @throws TypeError for a name that Intl does not know. */
export function requireTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    throw invalidArgument("`timeZone`", "an IANA time zone", timeZone);
  }
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
