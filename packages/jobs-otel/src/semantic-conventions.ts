import type { EnqueuedJobContext, JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";
import type { Attributes } from "@opentelemetry/api";

/**
 * What job spans are called and carry. OpenTelemetry has no agreed convention for background jobs yet; one that an
 * organisation has settled on can take the place of this one.
 */
export interface SpanConvention {
  /** The name of a run's span. */
  runName(context: ObservedJobContext): string;
  /**
   * Known when the run starts, so that a sampler sees them. It must not read the run id, which costs more than the rest. What it
   * returns may be that of an earlier run, and frozen: spread it to add to it.
   */
  runAttributes(context: ObservedJobContext): Readonly<Attributes>;
  /** Added to spans that are recorded. */
  recordedRunAttributes(context: ObservedJobContext): Attributes;
  /** Added when the run ends. `errorType` is there after a failure. */
  endAttributes(status: JobResultStatus, errorType: string | undefined): Attributes;
  /** The name of the span of an enqueue. */
  enqueueName(context: EnqueuedJobContext): string;
  /** What the span of an enqueue carries. */
  enqueueAttributes(context: EnqueuedJobContext): Attributes;
}

const nothing: Attributes = {};

/** `job.run` and `job.enqueue`, with `job.*` attributes and the context attributes under their own keys. */
export const jobSpanConvention: SpanConvention = {
  runName: () => "job.run",
  runAttributes: ({ attributes, jobName, delivery }) =>
    delivery === undefined
      ? named(attributes, jobName)
      : {
          ...attributes,
          "job.name": jobName,
          "job.engine": delivery.engine,
          "job.queue": delivery.queue,
          "job.id": delivery.jobId,
          "job.attempt": delivery.attempt,
          "job.max_attempts": delivery.maxAttempts,
          ...(delivery.correlationId === undefined ? {} : { "job.correlation_id": delivery.correlationId }),
        },
  recordedRunAttributes: ({ runId }) => ({ "job.run_id": runId }),
  endAttributes: (status, errorType) => {
    if (status === "cancelled") return { "job.cancelled": true };
    return errorType === undefined ? nothing : { "error.type": errorType };
  },
  enqueueName: () => "job.enqueue",
  enqueueAttributes: ({ jobName, engine, queue, count, correlationId }) => ({
    "job.name": jobName,
    "job.engine": engine,
    "job.queue": queue,
    "job.batch.count": count,
    ...(correlationId === undefined ? {} : { "job.correlation_id": correlationId }),
  }),
};

/** What `named` has made last. */
let last:
  | { readonly attributes: Attributes; readonly jobName: string; readonly made: Readonly<Attributes> }
  | undefined;

/**
 * `{ ...attributes, "job.name": jobName }`, and the same object again for as long as runs of one runner are of one job: a run that no
 * sampler wants costs no more than a span by hand for that.
 */
function named(attributes: Attributes, jobName: string): Readonly<Attributes> {
  if (last?.attributes === attributes && last.jobName === jobName) return last.made;
  const made = Object.freeze({ ...attributes, "job.name": jobName });
  // What can still be changed is not the same next time.
  if (Object.isFrozen(attributes)) last = { attributes, jobName, made };
  return made;
}

/** Instruments of the metrics observer. A Prometheus exporter makes the names of `@nidus/jobs-prometheus` of them. */
export const jobInstruments = {
  started: { name: "nidus.jobs.started", description: "Job runs that started." },
  finished: { name: "nidus.jobs.finished", description: "Job runs that finished, by how they ended." },
  inProgress: { name: "nidus.jobs.in_progress", description: "Job runs that have started and not finished." },
  duration: {
    name: "nidus.job.duration",
    description: "How long job runs took, by how they ended.",
    unit: "s",
  },
  lastSuccess: {
    name: "nidus.job.last_success.timestamp",
    description: "Unix time at which the job last succeeded.",
    unit: "s",
  },
  enqueued: { name: "nidus.jobs.enqueued", description: "Jobs handed to an engine." },
  retries: { name: "nidus.job.retries", description: "Deliveries that ended in another attempt." },
  deadLettered: {
    name: "nidus.jobs.dead_lettered",
    description: "Jobs that failed for the last time, or were given up by their engine.",
  },
  stalled: {
    name: "nidus.job.stalled",
    description: "Attempts whose worker died or lost its lease before it could record an outcome.",
  },
  wait: {
    name: "nidus.job.wait",
    description: "How long jobs waited between the moment they could start and their start.",
    unit: "s",
  },
} as const;

/** Seconds: from 5 ms to an hour, as background jobs last. */
export const durationBoundariesSeconds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600,
];
