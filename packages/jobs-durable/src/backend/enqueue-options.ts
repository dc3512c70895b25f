import type { JobAttributes } from "@nidus/jobs-observe";
import type { JobBackoff } from "../job/backoff.ts";

/** How a job is enqueued. */
export interface EnqueueOptions {
  /** Not before this moment, from 1970 to 9999. @default at once */
  readonly runAt?: Date | undefined;
  /**
   * A second enqueue with the same key is a duplicate and stores nothing: per job name, for as long as the first job is
   * retained. In a batch it holds for each position. A non-empty string of at most 512 characters.
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * While a job of this name with the same key is scheduled, waiting or running, another enqueue is a duplicate: it stores nothing, and
   * its id is that of the first job. The key is free as soon as that job has ended, however it ended. It excludes an `idempotencyKey`,
   * and several payloads at once. A non-empty string of at most 512 characters.
   */
  readonly uniqueKey?: string | undefined;
  /**
   * Milliseconds from the enqueue for which `uniqueKey` holds instead, whether the job has ended by then or not: a whole number from 1
   * to 2,147,483,647,000. The key is free earlier if the job is cancelled. It can be, too, if the job is no longer retained.
   */
  readonly uniqueForMs?: number | undefined;
  /**
   * Which jobs of this name start first: a whole number from 0, which is first, to 9. Jobs of one priority start in the order in which
   * they were enqueued. @default the job's own
   */
  readonly priority?: number | undefined;
  /** Helps you find related work: it comes with every delivery. A non-empty string of at most 512 characters. */
  readonly correlationId?: string | undefined;
  /**
   * Facts such as a tenant or a request id, which are stored with the job and join the attributes of its runs. At most 32, with keys of
   * at most 128 characters: together at most 2,048 bytes of JSON.
   */
  readonly attributes?: JobAttributes | undefined;
  /** @default the job's own */
  readonly maxAttempts?: number | undefined;
  /** The wait before the next attempt. @default the job's own */
  readonly backoff?: JobBackoff | undefined;
  /**
   * Milliseconds for which the job is kept after it has succeeded or was cancelled: a whole number from 0 to 2,147,483,647,000. 0
   * removes it at once. A dead letter is kept as long as any other. @default the engine's `retainSucceededMs`
   */
  readonly retainMs?: number | undefined;
}
