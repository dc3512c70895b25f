import { invalidArgument, requireFunction, requireKnownKeys } from "@nidus/jobs-core/adapter";
import { jobNamer } from "@nidus/jobs-durable/backend";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { describeDelivery, expiresAfterMs, type HandledJob } from "./handled-job.ts";
import { HandlerOutcome } from "./handler-outcome.ts";
import { failureFromResult } from "./per-job-results.ts";

/** How the jobs of a handler are observed. */
export interface PgBossHandlerOptions<Job extends HandledJob> {
  /**
   * Returns the name under which a job is observed, such as one for each kind of work in the queue. Metrics keep a series for each
   * name, so return few different names. @default the name of the queue
   */
  readonly jobName?: ((job: Job) => string) | undefined;
}

/** The job that a handler gets, alone or in a batch. */
type JobOf<Jobs> = Jobs extends readonly (infer Job extends HandledJob)[]
  ? Job
  : Jobs extends HandledJob
    ? Jobs
    : HandledJob;

/**
 * Wraps a pg-boss handler so that observers see each job's run: `boss.work(name, observePgBossHandler(runner, handler))`. The
 * wrapper passes arguments, results and errors through unchanged. The handler takes a batch of jobs, or one job, as in pg-boss 9
 * without `batchSize`, and runs in the scope of the batch's first job.
 *
 * Pass `{ includeMetadata: true }` to `boss.work`, so that observers see attempts, waits and outcomes. Without it, each run counts
 * as a first attempt that did not wait, and no failure counts as retried or dead-lettered.
 *
 * Outcomes follow pg-boss: a handler that outlives `expireInSeconds` has failed, and with `perJobResults` each job ends as its own
 * result says. The delivery after a worker's death reports the attempt before it as stalled. A handler that itself ends its job by
 * `boss.fail` or `boss.cancel`, and one whose result PostgreSQL cannot store, such as a text with a null character, counts as succeeded
 * if it returns.
 *
 * @throws TypeError for a value that is no runner, if `handler` is not a function, or for an unknown or wrong option.
 */
export function observePgBossHandler<
  Jobs extends readonly HandledJob[] | HandledJob,
  Rest extends unknown[],
  Result,
>(
  runner: ObservedJobRunner,
  handler: (jobs: Jobs, ...rest: Rest) => Promise<Result>,
  options: PgBossHandlerOptions<JobOf<Jobs>> = {},
): (jobs: Jobs, ...rest: Rest) => Promise<Result> {
  // Without a runner, every job would fail.
  requireFunction("`runner.settled`", runner?.settled);
  if (typeof handler !== "function") throw invalidArgument("`handler`", "a function", handler);
  requireKnownKeys("the options of observePgBossHandler", options, ["jobName"]);
  const { jobName } = options;
  if (jobName !== undefined) requireFunction("`jobName`", jobName);
  const nameOf = jobNamer(jobName as ((job: HandledJob) => string) | undefined, (job) => job.name);
  return async (given, ...rest) => {
    const jobs: readonly HandledJob[] = Array.isArray(given) ? given : [given as HandledJob];
    if (jobs.length === 0) return handler(given, ...rest);
    const ids = jobs.map(({ id }) => id);
    let handled: Promise<Result> | undefined;
    const runs = jobs.map((job) => {
      const delivery = describeDelivery(job);
      const name = nameOf(job);
      const outcome = new HandlerOutcome(runner, job, name, delivery);
      let isFinal = false;
      const run = async (): Promise<void> => {
        // The async function turns a synchronous throw of the handler into a rejection.
        handled ??= (async () => handler(given, ...rest))();
        const failure = failureFromResult(job.id, ids, await handled);
        if (failure === undefined) return;
        isFinal = failure.isFinal;
        throw failure.error;
      };
      // pg-boss gets the handler's own promise: only observers get the outcome of the run.
      const ended = runner.runAsync({ name, run }, { signal: job.signal, delivery }).then(
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

/** Calls `tell` when pg-boss fails the batch because its handler takes too long: pg-boss does not wait for the handler. */
function onExpiry(jobs: readonly HandledJob[], tell: (error: Error) => void): NodeJS.Timeout | undefined {
  const ms = expiresAfterMs(jobs);
  if (ms === undefined) return undefined;
  const timer = setTimeout(() => tell(new Error(`the handler took longer than ${ms / 1_000} s`)), ms);
  return timer.unref();
}
