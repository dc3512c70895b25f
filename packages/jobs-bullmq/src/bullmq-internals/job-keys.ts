import type { Job } from "bullmq";

/** Returns the first part of the keys of a BullMQ queue, as `queue.toKey("")`. */
export function queueKeys(prefix: string, queueName: string): string {
  return `${prefix}:${queueName}:`;
}

/** Returns the id of the job with which a scheduler runs next. */
export function scheduledJobId(scheduler: string, dueMs: number): string {
  return `repeat:${scheduler}:${dueMs}`;
}

/** Returns the Unix milliseconds at which a scheduler's job was due. Other programs may have stored anything there. */
export function scheduledAtOf({ opts }: Job): unknown {
  return (opts as { readonly prevMillis?: unknown }).prevMillis;
}
