import type { JobEnvelope } from "@nidus/jobs-durable/backend";

/** A job as the journal knows it. It is JSON. */
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
  /** How often it was started, released attempts not counted. */
  readonly attempt: number;
  readonly isCancelRequested: boolean;
  /** What its last attempt failed with. */
  readonly error: string;
}

/** What is new of a job: one line of the journal. */
export type JobChange = Partial<StoredJob> & Pick<StoredJob, "id">;

/** Whether nothing will become of it any more, unless somebody redrives it. */
export function hasEnded({ state }: StoredJob): boolean {
  return state !== "pending" && state !== "running";
}
