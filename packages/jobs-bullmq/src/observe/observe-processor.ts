import { JobError } from "@nidus/jobs-core";
import { invalidArgument, requireFunction, requireKnownKeys } from "@nidus/jobs-core/adapter";
import { jobNamer } from "@nidus/jobs-durable/backend";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { Job, Processor } from "bullmq";
import { isMove } from "../bullmq-internals/index.ts";
import { deliveryOf } from "./processed-job.ts";
import { ProcessorOutcomes } from "./processor-outcomes.ts";

/** How the runs of a processor are observed. */
export interface BullmqProcessorOptions<Data, Result, Name extends string> {
  /**
   * Returns the name under which a job is observed, such as one for each kind of work in the queue. Metrics keep a series for each
   * name, so return few different names. @default the name of the queue
   */
  readonly jobName?: ((job: Job<Data, Result, Name>) => string) | undefined;
}

/** The attribute of a run that has the job's own name. Applications put ids and addresses there, so it is no label of a metric. */
const ownNameKey = "bullmq.job.name";

/**
 * Wraps a BullMQ processor so that each run is observed: `new Worker(name, observeBullmqProcessor(runner, processor), options)`. Jobs are
 * observed under the name of their queue, and the job's own name is the attribute `bullmq.job.name` of the run. The processor keeps its
 * results, errors, token and signal, and still decides whether it gets a signal.
 *
 * Observers hear of an outcome when the worker has recorded it, so it is BullMQ's own: a stalled attempt does not count, and `discard()`,
 * `UnrecoverableError` and a `backoffStrategy` that returns -1 are final. The delivery after a stalled attempt reports it.
 *
 * A sandboxed processor (the path of a file) runs in its own process and cannot be wrapped: wrap the function that the file exports. Its
 * outcomes follow from the attempts and `UnrecoverableError`. Errors that move a job (DelayedError and the like) are no failures.
 *
 * @throws TypeError for a value that is no runner, for a processor that is not a function, or for an unknown or wrong option.
 */
export function observeBullmqProcessor<Data, Result, Name extends string>(
  runner: ObservedJobRunner,
  processor: Processor<Data, Result, Name>,
  options: BullmqProcessorOptions<Data, Result, Name> = {},
): Processor<Data, Result, Name> {
  // Without a runner, every job would fail.
  requireFunction("`runner.settled`", runner?.settled);
  if (typeof processor !== "function") {
    throw invalidArgument("`processor`", "a function (sandboxed processors are not supported)", processor);
  }
  requireKnownKeys("the options of observeBullmqProcessor", options, ["jobName"]);
  const { jobName } = options;
  if (jobName !== undefined) requireFunction("`jobName`", jobName);
  const nameOf = jobNamer<Job<Data, Result, Name>>(jobName, (job) => job.queueName);
  const outcomes = new ProcessorOutcomes(runner, nameOf);
  const observed = async (
    job: Job<Data, Result, Name>,
    token?: string,
    signal?: AbortSignal,
  ): Promise<Result> => {
    const delivery = await deliveryOf(job);
    const name = nameOf(job);
    outcomes.started(job, name, delivery);
    let move: { readonly error: unknown } | undefined;
    const run = async (): Promise<Result | undefined> => {
      try {
        return await processor(job, token, signal);
      } catch (error) {
        if (!isMove(error)) throw error;
        move = { error };
        return undefined;
      }
    };
    try {
      const ofJob = runner.context(ownNameKey, String(job.name));
      const result = await ofJob.runAsync({ name, run }, { signal, delivery });
      if (move !== undefined) throw move.error;
      outcomes.ended(job, { name, delivery, error: undefined }, "succeeded");
      return result as Result;
    } catch (error) {
      if (move === undefined) {
        const ended = { name, delivery, error: JobError.from(error) };
        outcomes.ended(job, ended, outcomeInSandbox(error, delivery));
      }
      throw error;
    }
  };
  // BullMQ makes a signal only for processors that declare three parameters.
  return processor.length >= 3 ? observed : (job, token) => observed(job, token);
}

/** Derives the outcome from the attempts alone, since a sandbox hears nothing of its worker. */
function outcomeInSandbox(
  error: unknown,
  { attempt, maxAttempts }: JobDelivery,
): SettledJobContext["outcome"] {
  const isUnrecoverable = (Object(error) as Error).name === "UnrecoverableError";
  return isUnrecoverable || attempt >= maxAttempts ? "dead-lettered" : "retried";
}
