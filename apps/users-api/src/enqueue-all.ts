import type { DigestEngine } from "./digest-engine.ts";
import type { DigestPayload } from "./digest-payload.ts";

/** Digests that are enqueued at once: few enough for the slowest engine to answer in time, and for Ctrl-C not to wait. */
const batchSize = 200;

/** What is enqueued. */
export interface EnqueuedDigests {
  /** Of the jobs, those that were there already among them. */
  readonly ids: ReadonlySet<string>;
  /** How many were there already, be it that they wait, or that they have ended. */
  readonly duplicates: number;
}

/**
 * Enqueues digests, each once a run however often this is called: keys are made of the run and of the place in the list, which is the
 * same for the same digests. Ends early when the signal is aborted.
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
