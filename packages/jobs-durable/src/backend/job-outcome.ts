import type { StoredJobProgress } from "./stored-job.ts";

/** How the run of a leased job ends. `delayMs` is a whole number of milliseconds, counted from now by the store's clock. */
export type JobOutcome = OutcomeOfType & {
  /**
   * The last progress that the handler has reported. Store it with the outcome. Without it, the stored one stays. Given only for stores
   * with the capability `progress`.
   */
  readonly progress?: StoredJobProgress | undefined;
};

type OutcomeOfType =
  /** `resultText` is JSON text, at most 1 MiB of it: only for stores with the capability `results`, and only if there is a result. */
  | { readonly type: "succeeded"; readonly resultText?: string | undefined }
  | ({ readonly type: "retried"; readonly delayMs: number; readonly error: string } & NextHeaders)
  | { readonly type: "dead-lettered"; readonly error: string }
  | { readonly type: "cancelled" }
  /** Delivered again at once, without an attempt spent. */
  | { readonly type: "released" }
  /** Delivered again after the delay, without an attempt spent. Recorded only by stores with the capability `snoozing`. */
  | ({ readonly type: "snoozed"; readonly delayMs: number } & NextHeaders);

/** The headers that the run of a job leaves for its next run. */
interface NextHeaders {
  /** At most 16,384 characters. Store them in place of earlier ones. If there are none, the next delivery has none. */
  readonly carrier?: Readonly<Record<string, string>> | undefined;
}

/** Tells whether the store recorded an outcome. */
export interface SettleResult {
  /**
   * False if the store refused the outcome for good: the lease belongs to another worker, the job is gone, or it has ended
   * otherwise. True also if an earlier try recorded it and its answer was lost.
   */
  readonly isRecorded: boolean;
  /**
   * True if the store recorded "cancelled" in place of "retried", "snoozed" or "dead-lettered", since `cancel` had been called for the job
   * meanwhile. An engine that does not look for that leaves it out.
   */
  readonly isCancelled?: boolean | undefined;
}
