import { JobError } from "@nidus/jobs-core";
import { invalidArgument } from "@nidus/jobs-core/adapter";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { Job, Processor } from "bullmq";
import { isMove } from "../bullmq-internals/index.ts";
import { deliveryOf } from "./processed-job.ts";
import { ProcessorOutcomes } from "./processor-outcomes.ts";

/**
 * Wraps a BullMQ processor so that each run is observed: `new Worker(name, observeBullmqProcessor(runner, processor), options)`.
 * The processor keeps its results, errors, token and signal, and still decides whether it gets a signal.
 *
 * Observers hear of an outcome when the worker has recorded it, so it is BullMQ's own: a stalled attempt does not count, and `discard()`,
 * `UnrecoverableError` and a `backoffStrategy` that returns -1 are final. The delivery after a stalled attempt reports it.
 *
 * A sandboxed processor (the path of a file) runs in its own process and cannot be wrapped: wrap the function that the file exports. Its
 * outcomes follow from the attempts and `UnrecoverableError`. Errors that move a job (DelayedError and the like) are no failures.
 *
 * @throws TypeError for a processor that is not a function.
 */
export function observeBullmqProcessor<Data, Result, Name extends string>(
  runner: ObservedJobRunner,
  processor: Processor<Data, Result, Name>,
): Processor<Data, Result, Name> {
  if (typeof processor !== "function") {
    throw invalidArgument("`processor`", "a function (sandboxed processors are not supported)", processor);
  }
  const outcomes = new ProcessorOutcomes(runner);
  const observed = async (
    job: Job<Data, Result, Name>,
    token?: string,
    signal?: AbortSignal,
  ): Promise<Result> => {
    const delivery = await deliveryOf(job);
    outcomes.started(job, delivery);
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
      const result = await runner.runAsync({ name: job.name, run }, { signal, delivery });
      if (move !== undefined) throw move.error;
      outcomes.ended(job, delivery, "succeeded");
      return result as Result;
    } catch (error) {
      if (move === undefined) {
        outcomes.ended(job, delivery, outcomeInSandbox(error, delivery), JobError.from(error));
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
