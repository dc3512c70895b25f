import { cutText } from "@nidus/jobs-core/adapter";
import type {
  EnqueuedJobContext,
  JobAttributes,
  JobDelivery,
  JobResultStatus,
  ObservedJobContext,
  SettledJobContext,
} from "@nidus/jobs-observe";

/** How many characters of an attribute's value a line carries. */
const maxAttributeLength = 1_024;

/** Returns the fields of a line about a run. The logger leaves out undefined fields. */
export function runFields(run: ObservedJobContext): object {
  return {
    job_name: run.jobName,
    run_id: run.runId,
    // Under one key, so that no attribute replaces a field of the line. A copy, since redaction in some versions of
    // pino writes into its input; for frozen attributes that would silently do nothing.
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

/** Returns the fields of a line about a finished run. */
export function finishedFields(run: ObservedJobContext, status: JobResultStatus): object {
  // Rounded to microseconds, the precision of the clock: more digits would only fill the line.
  return { ...runFields(run), status, duration_ms: Math.round((run.durationMs ?? 0) * 1000) / 1000 };
}

/** Returns the fields of a line about jobs that are about to be stored. */
export function enqueuedFields({ jobName, engine, queue, count, correlationId }: EnqueuedJobContext): object {
  return { job_name: jobName, engine, queue, count, correlation_id: correlationId };
}

/** Returns the fields of a line about the outcome of a delivery. */
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
