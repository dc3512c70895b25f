import { JobError, refusal } from "@nidus/jobs-core";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { Job, Processor } from "bullmq";

/**
 * A BullMQ processor whose runs are observed, and which is otherwise the same: its results, its errors, its token and its signal,
 * also whether it asks for one. For `new Worker(name, observeBullmqProcessor(runner, processor), options)`.
 *
 * Sandboxed processors, which are the path of a file, run in processes of their own and cannot be wrapped: wrap the function
 * that the file exports. The errors with which a processor moves its job (DelayedError and the like) are no failures.
 *
 * @throws TypeError for a processor that is no function.
 */
export function observeBullmqProcessor<Data, Result, Name extends string>(
  runner: ObservedJobRunner,
  processor: Processor<Data, Result, Name>,
): Processor<Data, Result, Name> {
  if (typeof processor !== "function") {
    throw refusal("`processor`", "a function (sandboxed processors are not supported)", processor);
  }
  const observed = async (
    job: Job<Data, Result, Name>,
    token?: string,
    signal?: AbortSignal,
  ): Promise<Result> => {
    const delivery = deliveryOf(job);
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
      settled(runner, job, delivery, "succeeded");
      return result as Result;
    } catch (error) {
      if (move === undefined)
        settled(runner, job, delivery, outcomeAfter(error, delivery), JobError.from(error));
      throw error;
    }
  };
  // BullMQ counts the parameters: it makes a signal for processors that declare three.
  return processor.length >= 3 ? observed : (job, token) => observed(job, token);
}

function deliveryOf(job: Job): JobDelivery {
  const { attemptsMade, stalledCounter = 0, timestamp, opts, processedOn } = job;
  return {
    engine: "bullmq",
    queue: job.queueName,
    jobId: job.id ?? "",
    attempt: attemptsMade + stalledCounter + 1,
    // BullMQ has 0 where nothing was said, and means 1.
    maxAttempts: opts.attempts || 1,
    enqueuedAt: new Date(timestamp),
    // BullMQ does not keep for when a further attempt was put off: it counts as not having waited.
    runAt: new Date(attemptsMade === 0 ? timestamp + (opts.delay ?? 0) : (processedOn ?? Date.now())),
    correlationId: undefined,
    carrier: carrierFrom(opts.telemetry?.metadata),
  };
}

/** What a producer's telemetry wrote: JSON of its headers. */
function carrierFrom(metadata: string | undefined): Record<string, string> {
  try {
    const headers: unknown = JSON.parse(metadata ?? "{}");
    return Object.fromEntries(
      Object.entries(headers as object).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string",
      ),
    );
  } catch {
    return {};
  }
}

const moves = ["DelayedError", "RateLimitError", "WaitingChildrenError", "WaitingError"];

function isMove(error: unknown): boolean {
  return (
    error instanceof Error && (moves.includes(error.name) || error.message === "bullmq:rateLimitExceeded")
  );
}

/** As BullMQ decides it, by the same rules. */
function outcomeAfter(error: unknown, { attempt, maxAttempts }: JobDelivery): SettledJobContext["outcome"] {
  const isUnrecoverable = error instanceof Error && error.name === "UnrecoverableError";
  return isUnrecoverable || attempt >= maxAttempts ? "dead-lettered" : "retried";
}

function settled(
  runner: ObservedJobRunner,
  job: Job,
  delivery: JobDelivery,
  outcome: SettledJobContext["outcome"],
  error?: JobError,
): void {
  runner.settled({ jobName: job.name, delivery, outcome, error });
}
