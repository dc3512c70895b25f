import {
  invalidArgument,
  requireBoolean,
  requireKnownKeys,
  requireOneOf,
  requireWholeNumber,
} from "@nidus/jobs-core/adapter";
import { type StoredJob, type StoredJobState, storedJobStates } from "../backend/stored-job.ts";
import type { StoredJobsQuery } from "../backend/stored-jobs-query.ts";
import { positionFrom } from "./cursor.ts";
import { requireStorableText } from "./validation.ts";

/** What is read of a stored job. */
export interface JobLookupOptions {
  /** Whether its payload is read, too. @default false */
  readonly withPayload?: boolean | undefined;
}

/** Which jobs `jobs` lists. */
export interface JobsQuery extends JobLookupOptions {
  /** @default jobs of every name */
  readonly jobName?: string | undefined;
  /** @default jobs in any state */
  readonly state?: StoredJobState | undefined;
  /** How many at most: a whole number from 1 to 1,000. @default 100 */
  readonly limit?: number | undefined;
  /** That of the page before, for the same `jobName` and `state`. @default the first page */
  readonly cursor?: string | undefined;
}

/** A page of the list of jobs. */
export interface JobsPage {
  readonly jobs: readonly StoredJob[];
  /** Leads to the next page. Undefined: there is none. */
  readonly cursor: string | undefined;
}

const maxLimit = 1_000;

/** Checks a query, and reads its cursor. @throws TypeError or RangeError */
export function storedJobsQueryFrom(query: JobsQuery): StoredJobsQuery {
  requireKnownKeys("the query", query, ["jobName", "state", "limit", "cursor", "withPayload"]);
  const { jobName, state, limit = 100, cursor, withPayload = false } = query;
  if (jobName !== undefined) requireStorableText("`jobName`", jobName);
  if (state !== undefined) requireOneOf("`state`", state, storedJobStates);
  requireWholeNumber("`limit`", limit);
  if (limit > maxLimit) throw invalidArgument("`limit`", `at most ${maxLimit}`, limit, RangeError);
  requireBoolean("`withPayload`", withPayload);
  const position = cursor === undefined ? undefined : positionFrom(cursor, { jobName, state });
  return { jobName, state, limit, position, withPayload };
}
