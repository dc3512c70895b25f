import { describe } from "@nidus/jobs-core";
import type { JobObserver } from "@nidus/jobs-observe";
import { type Meter, type MetricOptions, metrics } from "@opentelemetry/api";
import { durationBoundariesSeconds, jobInstruments } from "./semantic-conventions.ts";
import { version } from "./version.ts";

/** Where job metrics go. */
export interface OtelJobMetricsObserverOptions {
  /**
   * Makes the instruments.
   * @default the meter of the application's own OpenTelemetry set-up, which has to be there already: OpenTelemetry has no
   * meters that wait for it
   */
  readonly meter?: Meter | undefined;
}

/**
 * Counts, durations and times of the last success as OpenTelemetry metrics, by `job.name` and `status`.
 * How many job names a reader keeps apart is limited by its views; run ids are never attributes.
 *
 * @throws TypeError if `meter` is not a meter.
 */
export function otelJobMetricsObserver(options: OtelJobMetricsObserverOptions = {}): JobObserver {
  const { meter = metrics.getMeter("@nidus/jobs-otel", version) } = options;
  if (typeof meter?.createCounter !== "function") {
    throw new TypeError(`expected \`meter\` to be an OpenTelemetry meter, got ${describe(meter)}`);
  }
  const counter = ({ name, ...declaration }: NamedOptions) => meter.createCounter(name, declaration);
  const histogram = ({ name, ...declaration }: NamedOptions) =>
    meter.createHistogram(name, {
      ...declaration,
      advice: { explicitBucketBoundaries: [...durationBoundariesSeconds] },
    });
  const started = counter(jobInstruments.started);
  const finished = counter(jobInstruments.finished);
  const inProgress = meter.createUpDownCounter(jobInstruments.inProgress.name, jobInstruments.inProgress);
  const duration = histogram(jobInstruments.duration);
  const lastSuccess = meter.createGauge(jobInstruments.lastSuccess.name, jobInstruments.lastSuccess);
  const enqueued = counter(jobInstruments.enqueued);
  const retries = counter(jobInstruments.retries);
  const deadLettered = counter(jobInstruments.deadLettered);
  const wait = histogram(jobInstruments.wait);

  return {
    onJobStarted({ jobName, delivery, startedAtMs }) {
      const attributes = { "job.name": jobName };
      started.add(1, attributes);
      inProgress.add(1, attributes);
      if (delivery !== undefined)
        wait.record(Math.max(0, startedAtMs - delivery.runAt.getTime()) / 1000, attributes);
    },
    onJobFinished({ jobName, startedAtMs, durationMs = 0 }, status) {
      const attributes = { "job.name": jobName };
      const withStatus = { "job.name": jobName, status };
      inProgress.add(-1, attributes);
      finished.add(1, withStatus);
      duration.record(durationMs / 1000, withStatus);
      if (status === "success") lastSuccess.record((startedAtMs + durationMs) / 1000, attributes);
    },
    onJobEnqueued: ({ jobName, count }) => enqueued.add(count, { "job.name": jobName }),
    onJobSettled({ jobName, outcome }) {
      if (outcome === "retried") retries.add(1, { "job.name": jobName });
      if (outcome === "dead-lettered") deadLettered.add(1, { "job.name": jobName });
    },
  };
}

type NamedOptions = MetricOptions & { readonly name: string };
