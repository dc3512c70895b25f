import type { StoredJob, StoredJobState } from "./stored-job.ts";

/** Which jobs a page of the list has. */
export interface StoredJobsQuery {
  /** Undefined: of every name. */
  readonly jobName: string | undefined;
  /** Undefined: in any state. */
  readonly state: StoredJobState | undefined;
  /** How many at most: a whole number from 1 to 1,000. */
  readonly limit: number;
  /**
   * The place at which the page before ended, as the backend has named it for a query of the same name and state. It may come from a
   * user who has changed it. Undefined: the first page.
   */
  readonly position: readonly string[] | undefined;
  /** Whether to read the payloads, too. */
  readonly withPayload: boolean;
}

/** A page of the list. */
export interface StoredJobsPage {
  readonly jobs: readonly StoredJob[];
  /** The place at which it ends: at most 10 texts, of at most 512 characters each. Undefined: there are no more jobs. */
  readonly position: readonly string[] | undefined;
}

/** Makes the error for a position that no page has ended at. */
export function wrongCursor(): TypeError {
  return new TypeError(
    "expected `cursor` to be the one of the page before, for the same `jobName` and `state`",
  );
}
