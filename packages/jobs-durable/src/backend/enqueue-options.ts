/** How a job is enqueued. */
export interface EnqueueOptions {
  /** Not before this moment, from 1970 to 9999. @default at once */
  readonly runAt?: Date | undefined;
  /**
   * A second enqueue with the same key is a duplicate and stores nothing: per job name, for as long as the first job is
   * retained. In a batch it holds for each position. A non-empty string of at most 512 characters.
   */
  readonly idempotencyKey?: string | undefined;
  /** Helps you find related work: it comes with every delivery. A non-empty string of at most 512 characters. */
  readonly correlationId?: string | undefined;
  /** @default the job's own */
  readonly maxAttempts?: number | undefined;
}
