import { JobError } from "@nidus/jobs-core";
import { invalidArgument } from "@nidus/jobs-core/adapter";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { Job, Processor } from "bullmq";
import { isMove } from "../bullmq-internals/index.ts";
import { deliveryOf } from "./processed-job.ts";
import { ProcessorOutcomes } from "./processor-outcomes.ts";

/**
 * Wraps a BullMQ processor so that each run is observed: `new Worker(name, observeBullmqProcessor(runner, processor), options)`.
 * The processor stays the same: its results, its errors, its token and its signal, also whether it asks for one.
 *
 * Outcomes are BullMQ's own, told when the worker has recorded them: a stalled attempt does not count, and `discard()`,
 * `UnrecoverableError` and a `backoffStrategy` that returns -1 are final. The delivery after a stalled attempt tells of it.
 *
 * Sandboxed processors, which are the path of a file, run in processes of their own and cannot be wrapped: wrap the function
 * that the file exports. There, outcomes follow from the attempts and `UnrecoverableError`. The errors with which a processor
 * moves its job (DelayedError and the like) are no failures.
 *
 * @throws TypeError for a processor that is no function.
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
  // BullMQ counts the parameters: it makes a signal for processors that declare three.
  return processor.length >= 3 ? observed : (job, token) => observed(job, token);
}

/** What follows by the attempts alone: a sandbox hears nothing of its worker. */
function outcomeInSandbox(
  error: unknown,
  { attempt, maxAttempts }: JobDelivery,
): SettledJobContext["outcome"] {
  const isUnrecoverable = (Object(error) as Error).name === "UnrecoverableError";
  return isUnrecoverable || attempt >= maxAttempts ? "dead-lettered" : "retried";
}
