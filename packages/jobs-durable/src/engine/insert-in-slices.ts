import { setImmediate as nextTurn } from "node:timers/promises";
import type { NewJob } from "../backend/job-backend.ts";
import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import { EnqueuedInPartError } from "../errors/errors.ts";

/**
 * Inserts slice after slice, and gives the event loop a turn between two. Resolves to all the jobs, in their order.
 *
 * @throws (rejects with) what the insert of the first slice does; later, EnqueuedInPartError.
 */
export async function insertInSlices(
  slices: Iterable<readonly NewJob[]>,
  total: number,
  insert: (jobs: readonly NewJob[]) => Promise<readonly EnqueuedJob[]>,
): Promise<readonly EnqueuedJob[]> {
  const enqueued: EnqueuedJob[] = [];
  for (const slice of slices) {
    if (enqueued.length > 0) await nextTurn();
    try {
      for (const { id, isDuplicate } of await insert(slice)) enqueued.push({ id, isDuplicate });
    } catch (error) {
      const part = EnqueuedInPartError.isInstance(error) ? error : undefined;
      if (part === undefined && enqueued.length === 0) throw error;
      const known = [...enqueued, ...(part?.jobs ?? [])];
      throw new EnqueuedInPartError(
        Array.from({ length: total }, (_, index) => known[index]),
        part === undefined ? error : part.cause,
      );
    }
  }
  return enqueued;
}
