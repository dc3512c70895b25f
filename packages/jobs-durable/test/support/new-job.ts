import type { NewJob } from "../../src/backend.ts";

/** Makes a job as an engine passes it to a backend: one that is due at once, without any option. */
export function newJob(id: string, changes: Partial<NewJob> = {}): NewJob {
  return {
    id,
    name: "a",
    envelopeText: "{}",
    runAt: undefined,
    maxAttempts: 1,
    hasIdempotencyKey: false,
    priority: 0,
    uniqueKey: undefined,
    uniqueForMs: undefined,
    retainMs: undefined,
    ...changes,
  };
}
