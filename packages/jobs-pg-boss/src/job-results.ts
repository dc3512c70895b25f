/** What a handler with `perJobResults` says of one job. */
export interface JobFailureResult {
  /** What the job failed with. */
  readonly error: unknown;
  /** Whether there is no further attempt. */
  readonly isFinal: boolean;
}

interface JobResult {
  readonly id?: unknown;
  readonly status?: unknown;
  readonly output?: unknown;
}

const statuses = ["completed", "failed", "deadletter"];

/**
 * Reads how one job of a batch failed from the result of its handler, by pg-boss's rules for `perJobResults`: the last entry counts,
 * and a job without one has failed. Undefined if it did not fail, or if the result is of another kind.
 */
export function failureOf(
  id: string,
  batch: readonly string[],
  result: unknown,
): JobFailureResult | undefined {
  if (!Array.isArray(result)) return undefined;
  const results = (result as (JobResult | null)[]).filter(
    (each) => batch.includes(each?.id as string) && statuses.includes(each?.status as string),
  );
  if (results.length === 0) return undefined;
  const own = results.findLast((each) => each?.id === id);
  if (own?.status === "completed") return undefined;
  return {
    error:
      own?.output ??
      new Error(own ? `the handler ended the job as ${own.status}` : "no disposition returned by handler"),
    isFinal: own?.status === "deadletter",
  };
}
