import { warn } from "@nidus/jobs-core/adapter";
import type {
  DeclaredJobContext,
  EnqueuedJobContext,
  JobResultStatus,
  ObservedJobContext,
  OpenedEngineContext,
  SettledJobContext,
} from "@nidus/jobs-observe";
import { monotonicMsOf, OpenRuns } from "@nidus/jobs-observe/adapter";
import { type Metric, Registry } from "prom-client";
import { DurationHistogram } from "./counts/duration-histogram.ts";
import { EngineCounts, type JobSeries } from "./counts/job-series.ts";
import { overflowLabel } from "./counts/label-value.ts";
import { SeriesTable } from "./counts/series-table.ts";
import { timeMsOf } from "./counts/time.ts";
import { EngineReadings } from "./engine-readings.ts";
import {
  type BucketLabels,
  bucketLabelsOf,
  engineMetrics,
  type MetricDefinition,
  objectiveMetrics,
  runMetrics,
} from "./exposition/metrics.ts";
import {
  isOfOtherVersion,
  isPublishedMetric,
  type MetricSource,
  PublishedMetric,
  type RowState,
} from "./exposition/published-metric.ts";
import type { Settings } from "./options.ts";

/** The metric that every store publishes. */
const firstName = (runMetrics[0] as MetricDefinition).name;

/** Holds the counts behind one set of metrics in one registry. */
export class MetricStore implements MetricSource {
  readonly settings: Settings;
  readonly table: SeriesTable;
  readonly readings: EngineReadings;
  readonly bucketLabels: readonly BucketLabels[];
  /** Names of the labels that samples may have of their own. */
  readonly labelNames: readonly string[];
  /** The series of each unfinished run. */
  readonly #runs: OpenRuns<JobSeries> = new OpenRuns();
  readonly #published = new Set<readonly MetricDefinition[]>();
  #state: Promise<readonly RowState[]> | undefined;

  /** @throws Error if the registry has another metric with one of these names. */
  constructor(settings: Settings) {
    this.settings = settings;
    this.table = new SeriesTable(settings.maxSeries, settings.attributeLabels);
    this.readings = new EngineReadings(this.table, settings.maxSeries);
    this.labelNames = ["le", "job_name", "status", "engine", ...settings.attributeLabels.values()];
    this.bucketLabels = bucketLabelsOf(settings.buckets);
    this.#publish(runMetrics);
  }

  #publish(definitions: readonly MetricDefinition[]): void {
    if (this.#published.has(definitions) || this.#isRemoved) return;
    const { registry, prefix } = this.settings;
    // Register all or none: half of the metrics would count as all of them the next time.
    for (const { name } of definitions) {
      if (registry.getSingleMetric(prefix + name) !== undefined) throw nameIsTaken(prefix + name);
    }
    for (const definition of definitions) {
      // PublishedMetric has all that a registry needs; its type names the four classes of prom-client.
      this.settings.registry.registerMetric(new PublishedMetric(definition, this) as unknown as Metric);
    }
    this.#published.add(definitions);
  }

  /** Whether the application has cleared the registry since. Another store may have these names now. */
  get #isRemoved(): boolean {
    const { registry, prefix } = this.settings;
    const first = registry.getSingleMetric(prefix + firstName) as unknown;
    return this.#published.size > 0 && !(isPublishedMetric(first) && first.source === this);
  }

  /**
   * Resolves to the counts of one moment, after it has read the engines if that is due. A registry asks all of its
   * metrics in turn: calls of one turn get the same counts.
   */
  state(): Promise<readonly RowState[]> {
    if (this.#state === undefined) {
      this.#state = this.#readState();
      queueMicrotask(() => {
        this.#state = undefined;
      });
    }
    return this.#state;
  }

  async #readState(): Promise<readonly RowState[]> {
    await this.readings.refresh();
    const oldestStartMs = new Map<JobSeries, number>();
    for (const [run, series] of this.#runs.entries) {
      oldestStartMs.set(series, Math.min(run.startedAtMs, oldestStartMs.get(series) ?? Infinity));
    }
    const states = this.table.all.map((series) => series.state(oldestStartMs.get(series)));
    return [...states, ...this.readings.engines.all];
  }

  declare({ jobName, objectives, engine }: DeclaredJobContext): void {
    const series = this.table.ofJob(jobName);
    // Jobs beyond the limit have no objective in common.
    if (objectives !== undefined && series.labels.job_name !== overflowLabel) {
      this.#publish(objectiveMetrics);
      series.objectives = objectives;
    }
    if (engine !== undefined) this.#engineCounts(series);
  }

  start(context: ObservedJobContext): void {
    const series = this.table.of(context);
    series.started++;
    series.inProgress++;
    this.#runs.add(context, series);
    if (context.delivery !== undefined) this.#wait(series, context, context.delivery.runAt);
  }

  finish(context: ObservedJobContext, status: JobResultStatus): DurationHistogram {
    const series = this.#runs.take(context) ?? this.table.of(context);
    series.inProgress--;
    // Without it, more runs would have finished than started.
    if (series.startedBeforeReset > 0) {
      series.startedBeforeReset--;
      series.started++;
    }
    if (status === "success") series.lastSuccess.set(monotonicMsOf(context));
    const ended = series.byStatus[status];
    ended.durations ??= new DurationHistogram(this.settings.buckets);
    ended.durations.observe(secondsOf(context.durationMs));
    return ended.durations;
  }

  open(context: OpenedEngineContext): void {
    this.#publish(engineMetrics);
    this.readings.add(context);
  }

  enqueue({ jobName, count }: EnqueuedJobContext): void {
    const counts = this.#engineCounts(this.table.ofJob(jobName));
    if (Number.isFinite(count)) counts.enqueued += Math.max(0, count);
  }

  settle(context: SettledJobContext): void {
    const counts = this.#engineCounts(this.table.ofJob(context.jobName));
    if (context.outcome === "retried") counts.retries++;
    if (context.outcome === "stalled") counts.stalled++;
    if (context.outcome === "dead-lettered") counts.deadLettered++;
  }

  #wait(series: JobSeries, context: ObservedJobContext, runAt: Date): void {
    const counts = this.#engineCounts(series);
    const runAtMs = timeMsOf(runAt);
    if (runAtMs === undefined) return;
    counts.waits ??= new DurationHistogram(this.settings.buckets);
    // The clocks of two machines differ: a job that started before its time has not waited.
    counts.waits.observe(secondsOf(context.startedAtMs - runAtMs));
  }

  #engineCounts(series: JobSeries): EngineCounts {
    this.#publish(engineMetrics);
    series.engine ??= new EngineCounts();
    return series.engine;
  }
}

/** Converts to seconds. One NaN would make the sum of a histogram NaN forever. */
function secondsOf(milliseconds: number | undefined): number {
  return (milliseconds as number) > 0 && (milliseconds as number) < Infinity
    ? (milliseconds as number) / 1000
    : 0;
}

/**
 * Returns the metric store of a registry and prefix: the existing one, also of another copy of this package, or a new
 * one. A copy of another version may count differently. Then the new store is not published, and a process warning says
 * so.
 *
 * @throws Error if the existing store has other buckets or labels, or if another metric has one of the names.
 */
export function metricStoreIn(settings: Settings): MetricStore {
  const { registry, prefix } = settings;
  const name = prefix + firstName;
  const existing: unknown = registry.getSingleMetric(name);
  if (existing === undefined) return new MetricStore(settings);
  if (!isPublishedMetric(existing)) {
    if (!isOfOtherVersion(existing as object)) throw nameIsTaken(name);
    warn(
      `the registry has job metrics with the prefix "${prefix}" of another version of @nidus/jobs-prometheus: ` +
        "runs of this observer are missing in them; install one version, or choose another `prefix`",
    );
    return new MetricStore({ ...settings, registry: new Registry() });
  }
  const store = existing.source as MetricStore;
  if (shapeOf(store.settings) !== shapeOf(settings)) {
    throw new Error(
      `the registry has job metrics with the prefix "${prefix}" already: an observer that shares them needs the same ` +
        "`buckets` and `attributeLabels`",
    );
  }
  return store;
}

function nameIsTaken(name: string): Error {
  return new Error(`the registry has another metric named "${name}"; choose another \`prefix\``);
}

/** Returns the settings that observers need in common to share their metrics. The limit of series is that of the first. */
function shapeOf({ buckets, attributeLabels }: Settings): string {
  return JSON.stringify([buckets, [...attributeLabels]]);
}
