import type { NewJob } from "./job-backend.ts";

/** Tells whether two new jobs differ in id and envelope alone, as those of one `enqueueMany` do. */
export function haveSameOptions(one: NewJob, other: NewJob): boolean {
  return (
    one.name === other.name &&
    one.runAt?.getTime() === other.runAt?.getTime() &&
    one.maxAttempts === other.maxAttempts &&
    one.hasIdempotencyKey === other.hasIdempotencyKey &&
    one.priority === other.priority &&
    one.uniqueKey === other.uniqueKey &&
    one.uniqueForMs === other.uniqueForMs &&
    one.retainMs === other.retainMs
  );
}
