import { cutText } from "@nidus/jobs-core/adapter";
import type {
  EnqueuedJobContext,
  JobAttributes,
  JobDelivery,
  JobResultStatus,
  ObservedJobContext,
  SettledJobContext,
} from "@nidus/jobs-observe";

/** Characters of an attribute's value that a line carries. */
const maxAttributeLength = 1_024;

/** Fields of a line about a run. The logger leaves out those that are undefined. */
export function runFields(run: ObservedJobContext): object {
  return {
    job_name: run.jobName,
    run_id: run.runId,
    // Under one key, where none of theirs can take the place of the line's own; and a copy, since redaction in some
    // versions of pino writes into what it is given, which for frozen attributes would silently do nothing.
    attributes: Object.keys(run.attributes).length > 0 ? boundedAttributes(run.attributes) : undefined,
    ...(run.delivery && deliveryFields(run.delivery)),
  };
}

function boundedAttributes(attributes: JobAttributes): object {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [
      key,
      typeof value === "string" ? cutText(value, maxAttributeLength) : value,
    ]),
  );
}

/** Fields of a line about a run that has finished. */
export function finishedFields(run: ObservedJobContext, status: JobResultStatus): object {
  // To the microsecond, which is what the clock is good for: its fractions would fill the line with digits.
  return { ...runFields(run), status, duration_ms: Math.round((run.durationMs ?? 0) * 1000) / 1000 };
}

/** Fields of a line about jobs that are about to be stored. */
export function enqueuedFields({ jobName, engine, queue, count, correlationId }: EnqueuedJobContext): object {
  return { job_name: jobName, engine, queue, count, correlation_id: correlationId };
}

/** Fields of a line about what became of a delivery. */
export function settledFields({ jobName, outcome, delivery }: SettledJobContext): object {
  return { job_name: jobName, outcome, ...deliveryFields(delivery) };
}

function deliveryFields(delivery: JobDelivery): object {
  return {
    engine: delivery.engine,
    queue: delivery.queue,
    job_id: delivery.jobId,
    attempt: delivery.attempt,
    max_attempts: delivery.maxAttempts,
    correlation_id: delivery.correlationId,
  };
}
