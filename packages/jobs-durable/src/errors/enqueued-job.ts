/** An enqueue that the engine has acknowledged. */
export interface EnqueuedJob {
  /** By which the job is cancelled, and later redriven: a UUID. */
  readonly id: string;
  /** Whether a job with this idempotency key was there already: the id is that job's, and nothing was stored. */
  readonly isDuplicate: boolean;
}
