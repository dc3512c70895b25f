import type { JobObjectives } from "@nidus/jobs-observe";
import { jobMetricHelp } from "@nidus/jobs-observe/adapter";
import type { Exemplar, HistogramState } from "../counts/duration-histogram.ts";
import type { EngineState } from "../counts/engine-table.ts";
import type { Labels, SeriesState } from "../counts/job-series.ts";

/** One line of the exposition, in the form that prom-client uses. */
export interface Sample {
  readonly labels: Labels | BucketLabels;
  /** Labels that many lines have in common. prom-client formats them once. */
  readonly sharedLabels?: Labels;
  readonly value: number;
  /** Set if it differs from the metric's own name. */
  readonly metricName?: string;
  readonly exemplar?: Exemplar | undefined;
}

/** The label of a bucket: its upper bound in seconds. */
export interface BucketLabels {
  readonly le: number | string;
}

/**
 * Returns the labels of a histogram's buckets. The last bucket holds the values above all bounds. Call it once: every
 * sample uses the same labels.
 */
export function bucketLabelsOf(bounds: readonly number[]): BucketLabels[] {
  return [...bounds, "+Inf"].map((le) => ({ le }));
}

const noLabels = {};

/** Defines a metric: its declaration, and how its samples follow from the counts. */
export interface MetricDefinition {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** How prom-client's cluster aggregation combines the processes. */
  readonly aggregator: "sum" | "min" | "max";
  samples?(series: SeriesState, metricName: string, buckets: readonly BucketLabels[]): Sample[];
  /** Of a metric that has a sample for each engine instead. */
  engineSamples?(engine: EngineState): Sample[];
}

/** The metrics of every run. */
export const runMetrics: readonly MetricDefinition[] = [
  {
    name: "jobs_started_total",
    help: jobMetricHelp.started,
    type: "counter",
    aggregator: "sum",
    samples: ({ labels, started }) => [{ labels, value: started }],
  },
  {
    name: "jobs_finished_total",
    help: jobMetricHelp.finished,
    type: "counter",
    aggregator: "sum",
    samples: ({ byStatus }) => byStatus.map(({ labels, finished }) => ({ labels, value: finished })),
  },
  {
    name: "job_duration_seconds",
    help: jobMetricHelp.duration,
    type: "histogram",
    aggregator: "sum",
    samples: ({ byStatus }, name, buckets) =>
      byStatus.flatMap(({ labels, durations }) => histogramSamples(durations, labels, name, buckets)),
  },
  {
    name: "jobs_in_progress",
    help: jobMetricHelp.inProgress,
    type: "gauge",
    aggregator: "sum",
    samples: ({ labels, inProgress }) => [{ labels, value: inProgress }],
  },
  {
    name: "job_last_success_timestamp_seconds",
    help: jobMetricHelp.lastSuccess,
    type: "gauge",
    aggregator: "max",
    samples: ({ labels, lastSuccessMs }) =>
      lastSuccessMs === undefined ? [] : [{ labels, value: lastSuccessMs / 1000 }],
  },
  {
    name: "job_oldest_running_start_timestamp_seconds",
    help: "Unix time at which the longest running of the job's unfinished runs started.",
    type: "gauge",
    aggregator: "min",
    samples: ({ labels, oldestStartMs }) =>
      oldestStartMs === undefined ? [] : [{ labels, value: oldestStartMs / 1000 }],
  },
];

/** The metrics of jobs that an engine stores and delivers. They are exposed once there is such a job. */
export const engineMetrics: readonly MetricDefinition[] = [
  {
    name: "jobs_enqueued_total",
    help: jobMetricHelp.enqueued,
    type: "counter",
    aggregator: "sum",
    samples: ({ labels, engine }) => (engine === undefined ? [] : [{ labels, value: engine.enqueued }]),
  },
  {
    name: "job_retries_total",
    help: jobMetricHelp.retries,
    type: "counter",
    aggregator: "sum",
    samples: ({ labels, engine }) => (engine === undefined ? [] : [{ labels, value: engine.retries }]),
  },
  {
    name: "jobs_dead_lettered_total",
    help: jobMetricHelp.deadLettered,
    type: "counter",
    aggregator: "sum",
    samples: ({ labels, engine }) => (engine === undefined ? [] : [{ labels, value: engine.deadLettered }]),
  },
  {
    name: "job_stalled_total",
    help: jobMetricHelp.stalled,
    type: "counter",
    aggregator: "sum",
    samples: ({ labels, engine }) => (engine === undefined ? [] : [{ labels, value: engine.stalled }]),
  },
  {
    name: "job_wait_seconds",
    help: jobMetricHelp.wait,
    type: "histogram",
    aggregator: "sum",
    samples: ({ labels, engine }, name, buckets) => histogramSamples(engine?.waits, labels, name, buckets),
  },
  {
    name: "jobs_waiting",
    help: "Jobs that could run and wait for a worker, as the engine says.",
    type: "gauge",
    // Processes that share an engine read the same backlog.
    aggregator: "max",
    samples: ({ labels, backlog }) => (backlog === undefined ? [] : [{ labels, value: backlog.waiting }]),
  },
  {
    name: "job_oldest_waiting_timestamp_seconds",
    help: "Unix time from which the longest waiting of the job's waiting runs could have started.",
    type: "gauge",
    aggregator: "min",
    samples: ({ labels, backlog }) =>
      backlog === undefined || backlog.oldestAtMs === Infinity
        ? []
        : [{ labels, value: backlog.oldestAtMs / 1000 }],
  },
  {
    name: "job_last_scheduled_timestamp_seconds",
    help: "Unix time at which a schedule of the job was last due, as the engine says.",
    type: "gauge",
    aggregator: "max",
    samples: ({ labels, lastScheduledMs }) =>
      lastScheduledMs === undefined ? [] : [{ labels, value: lastScheduledMs / 1000 }],
  },
  {
    name: "dead_letters",
    help: "Dead letters that the engine holds.",
    type: "gauge",
    aggregator: "max",
    samples: ({ labels, deadLetters }) =>
      deadLetters === undefined ? [] : [{ labels, value: deadLetters.count }],
  },
  {
    name: "dead_letter_oldest_timestamp_seconds",
    help: "Unix time at which the oldest dead letter that the engine holds failed for the last time.",
    type: "gauge",
    aggregator: "min",
    samples: ({ labels, deadLetters }) =>
      deadLetters === undefined || deadLetters.oldestAtMs === Infinity
        ? []
        : [{ labels, value: deadLetters.oldestAtMs / 1000 }],
  },
  {
    name: "engine_up",
    help: jobMetricHelp.engineUp,
    type: "gauge",
    aggregator: "min",
    engineSamples: ({ labels, isUp }) => [{ labels, value: isUp ? 1 : 0 }],
  },
  {
    name: "worker_last_fetch_timestamp_seconds",
    help: "Unix time at which the store last answered the worker of this process that has waited longest for an answer.",
    type: "gauge",
    aggregator: "min",
    engineSamples: ({ labels, oldestFetchMs }) =>
      oldestFetchMs === Infinity ? [] : [{ labels, value: oldestFetchMs / 1000 }],
  },
];

/** Defines the gauge of one objective. */
function objectiveMetric(name: string, help: string, objective: keyof JobObjectives): MetricDefinition {
  return {
    name,
    help,
    type: "gauge",
    aggregator: "min",
    samples({ labels, objectives }) {
      const promisedMs = objectives?.[objective];
      return Number.isFinite(promisedMs) ? [{ labels, value: (promisedMs as number) / 1000 }] : [];
    },
  };
}

/** What the owners of jobs promise. Exposed once a job with objectives was declared. */
export const objectiveMetrics: readonly MetricDefinition[] = [
  objectiveMetric("job_objective_success_interval_seconds", jobMetricHelp.successInterval, "succeedEveryMs"),
  objectiveMetric("job_objective_wait_seconds", jobMetricHelp.waitObjective, "startWithinMs"),
  objectiveMetric("job_objective_duration_seconds", jobMetricHelp.durationObjective, "finishWithinMs"),
];

function histogramSamples(
  histogram: HistogramState | undefined,
  sharedLabels: Labels,
  name: string,
  buckets: readonly BucketLabels[],
): Sample[] {
  if (histogram === undefined) return [];
  const [bucketName, sumName, countName] = [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  const { cumulativeCounts: counts, sumSeconds, exemplars } = histogram;
  const samples: Sample[] = buckets.map((labels, index) => ({
    labels,
    sharedLabels,
    value: counts[index] as number,
    metricName: bucketName,
    exemplar: exemplars[index],
  }));
  samples.push(
    { labels: noLabels, sharedLabels, value: sumSeconds, metricName: sumName },
    { labels: noLabels, sharedLabels, value: counts.at(-1) as number, metricName: countName },
  );
  return samples;
}
