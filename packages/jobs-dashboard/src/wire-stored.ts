/** The JSON about stored jobs, engines and schedules that the browser code reads. Times are Unix milliseconds. */

import type { EngineIdentity, ErrorText, Reading, RunFacts, ScheduleRow, ShownAttributes } from "./wire.ts";

export type StoredState = "scheduled" | "waiting" | "running" | "succeeded" | "dead-lettered" | "cancelled";

export interface StoredJobRow {
  readonly id: string;
  readonly jobName: string;
  readonly state: StoredState;
  readonly attempt: number;
  readonly maxAttempts: number | null;
  readonly enqueuedAt: number | null;
  readonly runAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly priority: number | null;
  readonly correlationId: string | null;
  readonly lastError: string | null;
  readonly progress: { readonly fraction: number; readonly note: string | null } | null;
}

export interface StoredJobsView extends Reading {
  readonly engine: string;
  readonly jobs: readonly StoredJobRow[];
  readonly cursor: string | null;
  /** Counts by state, of the asked name or of all names. */
  readonly counts: Readonly<Record<StoredState, number>> | null;
  readonly names: readonly string[];
}

export interface StoredJobView {
  readonly engine: EngineIdentity | null;
  readonly job:
    | (StoredJobRow & {
        readonly attributes: ShownAttributes;
        readonly errors: readonly {
          readonly attempt: number;
          readonly message: string;
          readonly at: number | null;
        }[];
      })
    | null;
  /** The attempts that ran in this process, oldest first. */
  readonly runs: readonly (RunFacts & { readonly error: ErrorText | null })[];
  readonly error: string | null;
}

/** A payload as text, if the page may show it. */
export interface PayloadView {
  readonly text: string | null;
  readonly isCut: boolean;
  /** Why the engine could not be asked. */
  readonly error: string | null;
}

export interface WorkerRow {
  readonly state: string;
  readonly running: number | null;
  readonly concurrency: number | null;
  readonly lastFetchAt: number | null;
}

export interface EngineRow extends Reading {
  readonly key: string;
  readonly name: string;
  readonly isReachable: boolean | null;
  readonly latencyMs: number | null;
  readonly counts: Readonly<Record<StoredState, number>> | null;
  readonly oldestWaitingAt: number | null;
  /** Workers of this process, or null if the engine does not tell. */
  readonly workers: readonly WorkerRow[] | null;
}

export interface EnginesView {
  readonly engines: readonly EngineRow[];
}

export interface SchedulesView {
  readonly schedules: readonly ScheduleRow[];
  readonly engines: readonly (Reading & { readonly name: string })[];
}

/** A change that the page asks for. */
export type Action =
  | { readonly type: "cancel" | "redrive"; readonly engine: string; readonly ids: readonly string[] }
  | { readonly type: "reschedule"; readonly engine: string; readonly id: string; readonly runAt: number }
  | { readonly type: "cancel-all"; readonly engine: string; readonly jobName: string }
  | {
      readonly type: "redrive-all";
      readonly engine: string;
      readonly jobName: string | null;
      readonly error: string | null;
    };

/** How many jobs an action changed. */
export interface ActionResult {
  readonly done: number;
  /** There may be more jobs that match: ask again. */
  readonly hasMore: boolean;
}
