import type { MemoryTable } from "./memory-table.ts";

/** Cancels those of the jobs that have not ended, and were not asked to end before. Returns their ids. */
export function cancelAll(table: MemoryTable, jobName: string, ids: readonly string[]): string[] {
  return ids.filter((id) => {
    const job = table.find(id);
    const isAsked = job?.state === "running" && job.isCancelRequested;
    return job?.name === jobName && !isAsked && table.cancel(id);
  });
}

/** Redrives those of the jobs that are dead letters. Returns their ids. */
export function redriveAll(table: MemoryTable, jobName: string, ids: readonly string[]): string[] {
  return ids.filter((id) => table.find(id)?.name === jobName && table.redrive(id));
}
