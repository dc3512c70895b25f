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

/** Names a job by a key of its enqueue. */
export type JobKey =
  /** The job that holds the key now. */
  | { readonly jobName: string; readonly uniqueKey: string; readonly idempotencyKey?: undefined }
  /** The job that was enqueued with the key, for as long as it is retained. */
  | { readonly jobName: string; readonly idempotencyKey: string; readonly uniqueKey?: undefined };

/** Which jobs `cancelAll` cancels. */
export interface CancelAllQuery {
  readonly jobName: string;
  /** How many at most: a whole number from 1. @default all */
  readonly limit?: number | undefined;
}

/** Which dead letters `redriveAll` redrives. */
export interface RedriveAllQuery {
  /** @default those of every name */
  readonly jobName?: string | undefined;
  /**
   * A text that the message of the last error contains, within the first 1,000 characters, which `errors` of a stored job has. The text
   * has at most 512 characters.
   *
   * @default any
   */
  readonly error?: string | undefined;
  /** How many at most: a whole number from 1. @default all */
  readonly limit?: number | undefined;
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

/** @throws TypeError for what is no key; RangeError for one that is too long. */
export function requireJobKey(key: JobKey): void {
  requireKnownKeys("the key of a job", key, ["jobName", "uniqueKey", "idempotencyKey"]);
  const { jobName, uniqueKey, idempotencyKey } = key;
  requireStorableText("`jobName`", jobName);
  if ((uniqueKey === undefined) === (idempotencyKey === undefined)) {
    throw new TypeError("expected one of `uniqueKey` and `idempotencyKey`");
  }
  if (uniqueKey !== undefined) requireStorableText("`uniqueKey`", uniqueKey);
  if (idempotencyKey !== undefined) requireStorableText("`idempotencyKey`", idempotencyKey);
}
