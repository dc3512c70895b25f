import { isDate } from "node:util/types";
import { cutText, invalidArgument, requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { JobObserver, JobResultStatus } from "@nidus/jobs-observe";
import { durationBoundsSeconds } from "@nidus/jobs-observe/adapter";
import { type Meter, metrics } from "@opentelemetry/api";
import { EnginesUp } from "./engines-up.ts";
import { type JobInstrument, jobInstruments } from "./semantic-conventions.ts";
import { version } from "./version.ts";

/** Which meter the job metrics use. */
export interface OtelJobMetricsObserverOptions {
  /**
   * Makes the instruments.
   * @default the meter of the application's own OpenTelemetry set-up. Register that set-up first: OpenTelemetry has no
   * meters that wait for one.
   */
  readonly meter?: Meter | undefined;
}

/** Longer job names are cut, since a reader keeps each of them in memory. `@nidus/jobs-prometheus` cuts them alike. */
const maxNameLength = 256;

const statuses: readonly JobResultStatus[] = ["success", "failure", "cancelled"];

/**
 * Records counts, durations and times of the last success as OpenTelemetry metrics, by `job.name` and `status`. A view
 * of the reader limits how many job names it keeps apart: 2,000 label sets per instrument by default. A name longer
 * than 256 characters is cut. Run ids and context attributes are never attributes.
 *
 * @throws TypeError for an invalid or unknown option.
 */
export function otelJobMetricsObserver(options: OtelJobMetricsObserverOptions = {}): JobObserver {
  requireKnownKeys("the options of otelJobMetricsObserver", options, ["meter"]);
  const { meter = metrics.getMeter("@nidus/jobs-otel", version) } = options;
  if (typeof meter?.createCounter !== "function") {
    throw invalidArgument("`meter`", "an OpenTelemetry meter", meter);
  }
  const instruments = instrumentsFrom(meter);
  const { started, finished, inProgress, duration, lastSuccess } = instruments;
  const { enqueued, retries, deadLettered, stalled, wait, objectives: objectiveGauges } = instruments;
  const engines = new EnginesUp(meter);

  return {
    onEngineOpened: (context) => engines.add(context),
    onJobDeclared({ jobName, objectives, engine }) {
      const attributes = attributesOf(jobName);
      started.add(0, attributes);
      for (const status of statuses) finished.add(0, { ...attributes, status });
      for (const [objective, instrument] of objectiveGauges) {
        const promisedMs = objectives?.[objective];
        if (promisedMs !== undefined) instrument.record(promisedMs / 1000, attributes);
      }
      if (engine === undefined) return;
      for (const each of [enqueued, retries, deadLettered, stalled]) each.add(0, attributes);
    },
    onJobStarted({ jobName, delivery, startedAtMs }) {
      const attributes = attributesOf(jobName);
      started.add(1, attributes);
      inProgress.add(1, attributes);
      if (delivery === undefined) return;
      const waitedMs = isDate(delivery.runAt) ? startedAtMs - delivery.runAt.getTime() : Number.NaN;
      if (Number.isFinite(waitedMs)) wait.record(Math.max(0, waitedMs) / 1000, attributes);
    },
    onJobFinished({ jobName, startedAtMs, durationMs = 0 }, status) {
      const attributes = attributesOf(jobName);
      const withStatus = { ...attributes, status };
      inProgress.add(-1, attributes);
      finished.add(1, withStatus);
      duration.record(durationMs > 0 ? durationMs / 1000 : 0, withStatus);
      if (status === "success") lastSuccess.record((startedAtMs + durationMs) / 1000, attributes);
    },
    onJobEnqueued({ jobName, count }) {
      // One NaN would make the sum NaN forever.
      if (count > 0 && count < Infinity) enqueued.add(count, attributesOf(jobName));
    },
    onJobSettled({ jobName, outcome }) {
      if (outcome === "retried") retries.add(1, attributesOf(jobName));
      if (outcome === "stalled") stalled.add(1, attributesOf(jobName));
      if (outcome === "dead-lettered") deadLettered.add(1, attributesOf(jobName));
    },
  };
}

function attributesOf(jobName: string): { "job.name": string } {
  return { "job.name": cutText(jobName, maxNameLength) };
}

/** Makes the instruments of all metrics. */
function instrumentsFrom(meter: Meter) {
  const counter = ({ name, ...declaration }: JobInstrument) => meter.createCounter(name, declaration);
  const gauge = ({ name, ...declaration }: JobInstrument) => meter.createGauge(name, declaration);
  const histogram = ({ name, ...declaration }: JobInstrument) =>
    meter.createHistogram(name, {
      ...declaration,
      advice: { explicitBucketBoundaries: [...durationBoundsSeconds] },
    });
  return {
    started: counter(jobInstruments.started),
    finished: counter(jobInstruments.finished),
    inProgress: meter.createUpDownCounter(jobInstruments.inProgress.name, jobInstruments.inProgress),
    duration: histogram(jobInstruments.duration),
    lastSuccess: gauge(jobInstruments.lastSuccess),
    enqueued: counter(jobInstruments.enqueued),
    retries: counter(jobInstruments.retries),
    deadLettered: counter(jobInstruments.deadLettered),
    stalled: counter(jobInstruments.stalled),
    wait: histogram(jobInstruments.wait),
    objectives: [
      ["succeedEveryMs", gauge(jobInstruments.successInterval)],
      ["startWithinMs", gauge(jobInstruments.waitObjective)],
      ["finishWithinMs", gauge(jobInstruments.durationObjective)],
    ] as const,
  };
}
