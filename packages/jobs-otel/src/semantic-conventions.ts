import { requireFunction, requireObject } from "@nidus/jobs-core/adapter";
import type { EnqueuedJobContext, JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";
import { jobMetricHelp } from "@nidus/jobs-observe/adapter";
import type { Attributes } from "@opentelemetry/api";

/**
 * Defines the names and attributes of job spans. OpenTelemetry has no agreed convention for background jobs yet. Pass
 * `messagingSpanConvention`, or your organisation's own convention, instead of the default one.
 */
export interface SpanConvention {
  /** Returns the name of a run's span. */
  runName(context: ObservedJobContext): string;
  /**
   * Returns the attributes that are known when the run starts, so that a sampler sees them. It must not read the run
   * id, which costs more than the rest. The result may be frozen and shared with an earlier run: spread it to add to
   * it.
   */
  runAttributes(context: ObservedJobContext): Readonly<Attributes>;
  /** Returns the attributes for recorded spans only. */
  recordedRunAttributes(context: ObservedJobContext): Attributes;
  /** Returns the attributes to add when the run ends. `errorType` is set after a failure. */
  endAttributes(status: JobResultStatus, errorType: string | undefined): Attributes;
  /** Returns the name of the span of an enqueue. */
  enqueueName(context: EnqueuedJobContext): string;
  /** Returns the attributes of the span of an enqueue. */
  enqueueAttributes(context: EnqueuedJobContext): Attributes;
}

const nothing: Attributes = {};

/** @throws TypeError for a value that lacks a member of a convention: it would cost every span. */
export function requireConvention(convention: SpanConvention): void {
  requireObject("`convention`", convention);
  for (const member of Object.keys(jobSpanConvention) as (keyof SpanConvention)[]) {
    requireFunction(`\`convention.${member}\``, convention[member]);
  }
}

/** Names spans `job.run` and `job.enqueue`. They carry `job.*` attributes, and the context attributes under their own keys. */
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

/** The attributes of the runner that ran last, if they are frozen: others may differ next time. */
let lastAttributes: Attributes | undefined;
/** The results of `named` for these attributes, by job name. */
const madeByName: Map<string, Readonly<Attributes>> = new Map();
/** Names may come from users: neither their number nor their length may fill the memory. */
const [maxNames, maxNameLength] = [1_000, 256];

/**
 * Returns `{ ...attributes, "job.name": jobName }`. Returns the same object for each run of a job by one runner, so
 * that a run that no sampler wants costs no more than a span by hand, and runs of many jobs in turn cost no more than
 * those of one.
 */
function named(attributes: Attributes, jobName: string): Readonly<Attributes> {
  if (attributes !== lastAttributes) {
    lastAttributes = Object.isFrozen(attributes) ? attributes : undefined;
    madeByName.clear();
  }
  const known = madeByName.get(jobName);
  if (known !== undefined) return known;
  const made = Object.freeze({ ...attributes, "job.name": jobName });
  const isKept = lastAttributes !== undefined && madeByName.size < maxNames;
  if (isKept && jobName.length <= maxNameLength) madeByName.set(jobName, made);
  return made;
}

/** How an instrument is declared. */
export interface JobInstrument {
  readonly name: string;
  readonly description: string;
  readonly unit?: string;
}

/** Instruments of the metrics observer. A Prometheus exporter gives them the names of `@nidus/jobs-prometheus`. */
export const jobInstruments: Readonly<Record<keyof typeof jobMetricHelp, JobInstrument>> = {
  started: { name: "nidus.jobs.started", description: jobMetricHelp.started },
  finished: { name: "nidus.jobs.finished", description: jobMetricHelp.finished },
  inProgress: { name: "nidus.jobs.in_progress", description: jobMetricHelp.inProgress },
  duration: { name: "nidus.job.duration", description: jobMetricHelp.duration, unit: "s" },
  lastSuccess: {
    name: "nidus.job.last_success.timestamp",
    description: jobMetricHelp.lastSuccess,
    unit: "s",
  },
  enqueued: { name: "nidus.jobs.enqueued", description: jobMetricHelp.enqueued },
  retries: { name: "nidus.job.retries", description: jobMetricHelp.retries },
  deadLettered: { name: "nidus.jobs.dead_lettered", description: jobMetricHelp.deadLettered },
  stalled: { name: "nidus.job.stalled", description: jobMetricHelp.stalled },
  successInterval: {
    name: "nidus.job.objective.success_interval",
    description: jobMetricHelp.successInterval,
    unit: "s",
  },
  waitObjective: { name: "nidus.job.objective.wait", description: jobMetricHelp.waitObjective, unit: "s" },
  durationObjective: {
    name: "nidus.job.objective.duration",
    description: jobMetricHelp.durationObjective,
    unit: "s",
  },
  engineUp: { name: "nidus.engine.up", description: jobMetricHelp.engineUp },
  wait: { name: "nidus.job.wait", description: jobMetricHelp.wait, unit: "s" },
};
