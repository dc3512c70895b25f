import type { Job } from "bullmq";

/** The part of BullMQ's worker that this package uses. */
export interface WorkerOfJob {
  on(event: "completed" | "failed", listener: (job: Job | undefined) => void): unknown;
  /** In BullMQ 5. */
  readonly client?: Promise<HashReader>;
  /** In BullMQ 6. */
  readonly backend?: { readonly client?: Promise<HashReader> };
}

interface HashReader {
  hget(key: string, field: string): Promise<string | null>;
}

/** Returns the worker that processes a job. Undefined for a job in a sandbox. */
export function workerOf(job: Job): WorkerOfJob | undefined {
  const { queue } = job as unknown as { readonly queue?: Partial<WorkerOfJob> };
  return typeof queue?.on === "function" ? (queue as WorkerOfJob) : undefined;
}

/** Reads when other jobs ended, in Unix milliseconds, over the connection of a job's worker. Resolves to NaN for a job without an end. */
export async function readEnds(job: Job, jobKeys: readonly string[]): Promise<readonly number[]> {
  const worker = workerOf(job);
  const client = await (worker?.client ?? worker?.backend?.client);
  return Promise.all(jobKeys.map(async (key) => Number(await client?.hget(key, "finishedOn"))));
}
