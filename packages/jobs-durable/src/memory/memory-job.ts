import type { JobAttemptError, StoredJobProgress } from "../backend/stored-job.ts";

/** A job and its state. */
export interface MemoryJob {
  /** How many were stored before it. */
  readonly number: number;
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly envelopeText: string;
  readonly maxAttempts: number;
  readonly priority: number;
  readonly uniqueKey: string | undefined;
  /** Infinity: until its end. */
  readonly uniqueUntilMs: number;
  /** Undefined: as long as the table keeps others. */
  readonly retainMs: number | undefined;
  readonly enqueuedAtMs: number;
  runAtMs: number;
  /** Of arrival, among those of one moment. A job that is released keeps it. */
  order: number;
  attempt: number;
  startedAtMs: number | undefined;
  /** How often it was given out. */
  lease: number;
  state: "pending" | "running" | "succeeded" | "dead-lettered" | "cancelled";
  isCancelRequested: boolean;
  endedAtMs: number;
  /** Among those that ended in one millisecond. */
  endOrder: number;
  error: string;
  progress: StoredJobProgress | undefined;
  /** Of its attempts, the newest first. */
  errors: readonly JobAttemptError[];
  /** The headers of the last retry. */
  previousCarrier: Readonly<Record<string, string>> | undefined;
  /** JSON text. */
  resultText: string | undefined;
}
