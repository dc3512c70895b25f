import { JobError, refusal } from "@nidus/jobs-core";
import type { JobDelivery, ObservedJobRunner } from "@nidus/jobs-observe";

/** A job as pg-boss hands it to a handler. With `includeMetadata`, it has all of these. */
export interface HandledJob {
  /** The job's id. */
  readonly id: string;
  /** The queue's name, which becomes the job's. */
  readonly name: string;
  /** How many attempts there were before this one. */
  readonly retryCount?: number;
  /** How many there may be after the first. */
  readonly retryLimit?: number;
  /** When it was stored. */
  readonly createdOn?: Date;
  /** From when it could run. */
  readonly startAfter?: Date;
  /** pg-boss's own, of version 12. */
  readonly signal?: AbortSignal;
}

/** pg-boss's own default, which a job without metadata is taken to have. */
const defaultRetryLimit = 2;

/**
 * A pg-boss handler whose runs are observed, one for each job of the batch, and which is otherwise the same: it is called once a
 * batch, with the same arguments, and its result and its errors come back. For `boss.work(name, observePgBossHandler(runner, handler))`.
 *
 * Attempts and waits are known with `{ includeMetadata: true }`, and counted as first attempts that did not wait without it. The
 * handler runs within the scope of the batch's first job. With `perJobResults`, each job's run ends as its own result says.
 *
 * @throws TypeError for a handler that is no function.
 */
export function observePgBossHandler<Jobs extends readonly HandledJob[], Rest extends unknown[], Result>(
  runner: ObservedJobRunner,
  handler: (jobs: Jobs, ...rest: Rest) => Promise<Result>,
): (jobs: Jobs, ...rest: Rest) => Promise<Result> {
  if (typeof handler !== "function") throw refusal("`handler`", "a function", handler);
  return async (jobs, ...rest) => {
    const [first, ...others] = jobs;
    if (first === undefined) return handler(jobs, ...rest);
    let handled: Promise<Result> | undefined;
    const observed = async (job: HandledJob): Promise<void> => {
      const delivery = deliveryOf(job);
      try {
        await runner.runAsync(
          {
            name: job.name,
            run: async () => {
              // An async function, so that a handler that throws at once rejects as one that throws later.
              handled ??= (async () => handler(jobs, ...rest))();
              failIfToldSo(await handled, job.id);
            },
          },
          { signal: job.signal, delivery },
        );
        runner.settled({ jobName: job.name, delivery, outcome: "succeeded", error: undefined });
      } catch (thrown) {
        // It is the handler's promise that tells pg-boss. Without metadata nobody knows how many attempts there are.
        if (job.retryLimit === undefined) return;
        const outcome = delivery.attempt < delivery.maxAttempts ? "retried" : "dead-lettered";
        runner.settled({ jobName: job.name, delivery, outcome, error: JobError.from(thrown) });
      }
    };
    await Promise.all([observed(first), ...others.map(observed)]);
    return handled as Promise<Result>;
  };
}

function deliveryOf({
  id,
  name,
  retryCount = 0,
  retryLimit = defaultRetryLimit,
  ...job
}: HandledJob): JobDelivery {
  const now = new Date();
  return {
    engine: "pg-boss",
    queue: name,
    jobId: id,
    attempt: retryCount + 1,
    maxAttempts: retryLimit + 1,
    enqueuedAt: job.createdOn ?? now,
    runAt: job.startAfter ?? now,
    correlationId: undefined,
    carrier: {},
  };
}

/** The results of `perJobResults`, which say of each job how it ended. */
function failIfToldSo(results: unknown, id: string): void {
  if (!Array.isArray(results)) return;
  const result = results.find((each: { id?: unknown } | null) => each?.id === id) as
    | { readonly status?: unknown; readonly output?: unknown }
    | undefined;
  if (result?.status === "failed" || result?.status === "deadletter") {
    throw result.output ?? new Error(`the handler ended the job as ${result.status}`);
  }
}
