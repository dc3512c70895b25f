import { invalidArgument } from "@nidus/jobs-core/adapter";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { deliveryOf, expiresAfterMs, type HandledJob } from "./handled-job.ts";
import { HandlerOutcome } from "./handler-outcome.ts";
import { failureOf } from "./job-results.ts";

/**
 * Wraps a pg-boss handler so that each job's run is observed: `boss.work(name, observePgBossHandler(runner, handler))`. The
 * handler stays the same: it is called as often, with the same arguments, and its result and its errors come back. It takes a batch
 * of jobs, or one job, as in pg-boss 9 without `batchSize`.
 *
 * Attempts, waits and outcomes are known with `{ includeMetadata: true }`. Without it, each run counts as a first attempt that did
 * not wait, and no failure is told as retried or dead-lettered. The outcome is pg-boss's own: a handler that outlives
 * `expireInSeconds` has failed, and with `perJobResults` each job ends as its own result says. The delivery after a worker's death
 * tells of the stalled attempt. The handler runs within the scope of the batch's first job.
 *
 * @throws TypeError for a handler that is no function.
 */
export function observePgBossHandler<
  Jobs extends readonly HandledJob[] | HandledJob,
  Rest extends unknown[],
  Result,
>(
  runner: ObservedJobRunner,
  handler: (jobs: Jobs, ...rest: Rest) => Promise<Result>,
): (jobs: Jobs, ...rest: Rest) => Promise<Result> {
  if (typeof handler !== "function") throw invalidArgument("`handler`", "a function", handler);
  return async (given, ...rest) => {
    const jobs: readonly HandledJob[] = Array.isArray(given) ? given : [given as HandledJob];
    if (jobs.length === 0) return handler(given, ...rest);
    const ids = jobs.map(({ id }) => id);
    let handled: Promise<Result> | undefined;
    const runs = jobs.map((job) => {
      const delivery = deliveryOf(job);
      const outcome = new HandlerOutcome(runner, job, delivery);
      let isFinal = false;
      const run = async (): Promise<void> => {
        // An async function, so that a handler that throws at once rejects as one that throws later.
        handled ??= (async () => handler(given, ...rest))();
        const failure = failureOf(job.id, ids, await handled);
        if (failure === undefined) return;
        isFinal = failure.isFinal;
        throw failure.error;
      };
      // The handler's promise is what tells pg-boss: how the run ends is told to observers alone.
      const ended = runner.runAsync({ name: job.name, run }, { signal: job.signal, delivery }).then(
        () => outcome.succeeded(),
        (thrown) => outcome.failed(thrown, isFinal),
      );
      return { outcome, ended };
    });
    const expiry = onExpiry(jobs, (error) => {
      for (const { outcome } of runs) outcome.failed(error, false);
    });
    await Promise.all(runs.map(({ ended }) => ended));
    clearTimeout(expiry);
    return handled as Promise<Result>;
  };
}

/** pg-boss fails a batch whose handler takes too long, and does not wait for it. */
function onExpiry(jobs: readonly HandledJob[], tell: (error: Error) => void): NodeJS.Timeout | undefined {
  const ms = expiresAfterMs(jobs);
  if (ms === undefined) return undefined;
  const timer = setTimeout(() => tell(new Error(`the handler took longer than ${ms / 1_000} s`)), ms);
  return timer.unref();
}
