import { requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";

/** What the owner of a job promises. Observers publish it, so that one set of alerting rules serves every job. */
export interface JobObjectives {
  /** The job succeeds at least this often: milliseconds, a whole number from 1. @default no promise */
  readonly succeedEveryMs?: number | undefined;
  /** In an engine, a run starts within this time after `runAt`: milliseconds, a whole number from 1. @default no promise */
  readonly startWithinMs?: number | undefined;
  /** One run takes at most this long: milliseconds, a whole number from 1. @default no promise */
  readonly finishWithinMs?: number | undefined;
}

/**
 * Returns a frozen copy of the objectives, or undefined if there are none.
 *
 * @throws TypeError for an unknown key or a value that is not a number, RangeError for any number but a whole one from 1.
 */
export function requireObjectives(objectives: JobObjectives | undefined): JobObjectives | undefined {
  if (objectives === undefined) return undefined;
  requireKnownKeys("`objectives`", objectives, ["succeedEveryMs", "startWithinMs", "finishWithinMs"]);
  for (const [key, value] of Object.entries(objectives)) {
    if (value !== undefined) requireWholeNumber(`\`objectives.${key}\``, value);
  }
  return Object.freeze({ ...objectives });
}
