import type { JobEnvelope } from "@nidus/jobs-durable/backend";

/** A job in the journal, as JSON. */
export interface StoredJob {
  readonly id: string;
  readonly name: string;
  readonly envelope: JobEnvelope;
  readonly maxAttempts: number;
  /** Unix times in milliseconds. */
  readonly enqueuedAtMs: number;
  readonly runAtMs: number;
  readonly endedAtMs: number;
  readonly state: "pending" | "running" | "succeeded" | "deadLettered" | "cancelled";
  /** The number of starts, without released attempts. */
  readonly attempt: number;
  readonly isCancelRequested: boolean;
  /** The error of its last attempt. */
  readonly error: string;
}

/** The changes of a job: one line of the journal. */
export type JobChange = Partial<StoredJob> & Pick<StoredJob, "id">;

/** Tells whether a job has ended. Only a redrive runs it again. */
export function hasEnded({ state }: StoredJob): boolean {
  return state !== "pending" && state !== "running";
}
