import type { DigestEngine } from "./digest-engine.ts";
import type { DigestPayload } from "./digest-payload.ts";

/** How many digests to enqueue at once: few enough that the slowest engine answers in time and Ctrl-C need not wait. */
const batchSize = 200;

/** The jobs of a run. */
export interface EnqueuedDigests {
  /** The ids of all jobs, including those that were stored before. */
  readonly ids: ReadonlySet<string>;
  /** How many jobs were stored before, whether they wait or have ended. */
  readonly duplicates: number;
}

/**
 * Enqueues each digest once per run, however often you call it. The idempotency keys consist of the run and the place
 * in the list, which is the same for the same digests. Ends early if the signal is aborted.
 */
export async function enqueueAll(
  { engine, job }: DigestEngine,
  runId: string,
  payloads: readonly DigestPayload[],
  signal: AbortSignal,
): Promise<EnqueuedDigests> {
  const ids = new Set<string>();
  let duplicates = 0;
  for (let first = 0; first < payloads.length && !signal.aborted; first += batchSize) {
    const batch = payloads.slice(first, first + batchSize);
    const options = { idempotencyKey: `${runId}/${first}`, correlationId: runId };
    for (const { id, isDuplicate } of await engine.enqueueMany(job, batch, options)) {
      ids.add(id);
      if (isDuplicate) duplicates++;
    }
  }
  return { ids, duplicates };
}
