/** An enqueue that the engine has acknowledged. */
export interface EnqueuedJob {
  /** By which the job is cancelled, and later redriven: a UUID. */
  readonly id: string;
  /** Whether another job holds the `idempotencyKey` or the `uniqueKey`: the id is that job's, and nothing was stored. */
  readonly isDuplicate: boolean;
}
