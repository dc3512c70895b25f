/** The failure of one job, as a handler with `perJobResults` reports it. */
export interface JobFailureResult {
  /** The error of the job. */
  readonly error: unknown;
  /** Whether the job gets no further attempt. */
  readonly isFinal: boolean;
}

interface JobResult {
  readonly id?: unknown;
  readonly status?: unknown;
  readonly output?: unknown;
}

const statuses = ["completed", "failed", "deadletter"];

/**
 * Finds the failure of one job of a batch in its handler's result, by pg-boss's rules for `perJobResults`: the last entry of a job
 * counts, and a job without an entry has failed. Returns undefined if the job did not fail, or if the result has another form.
 */
export function failureFromResult(
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
