import type { Job } from "bullmq";
import type { RedisClient } from "./redis-client.ts";

/** Returns the first part of the keys of a BullMQ queue, as `queue.toKey("")`. */
export function queueKeys(prefix: string, queueName: string): string {
  return `${prefix}:${queueName}:`;
}

/** Reads one field of each job's hash. Resolves to null for a job that is not there. */
export async function readField(
  client: RedisClient,
  keys: string,
  jobIds: readonly string[],
  field: "data" | "timestamp",
): Promise<readonly (string | null)[]> {
  const found = await Promise.all(jobIds.map((id) => client.hmget(`${keys}${id}`, field)));
  return found.map(([value]) => value ?? null);
}

/** Returns the id of the job with which a scheduler runs next. */
export function scheduledJobId(scheduler: string, dueMs: number): string {
  return `repeat:${scheduler}:${dueMs}`;
}

/** Returns the Unix milliseconds at which a scheduler's job was due. Other programs may have stored anything there. */
export function scheduledAtOf({ opts }: Job): unknown {
  return (opts as { readonly prevMillis?: unknown }).prevMillis;
}
