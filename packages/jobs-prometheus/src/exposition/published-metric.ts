import type { EngineState } from "../counts/engine-table.ts";
import type { SeriesState } from "../counts/job-series.ts";
import type { BucketLabels, MetricDefinition, Sample } from "./metrics.ts";

/** The data that prom-client's registry reads from a metric. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: MetricDefinition["type"];
  readonly aggregator: MetricDefinition["aggregator"];
  readonly values: readonly Sample[];
}

/** The counts that the metrics of one prefix are made of, as each of these metrics sees them. */
export interface MetricSource {
  readonly settings: { readonly prefix: string };
  readonly bucketLabels: readonly BucketLabels[];
  /** Names of labels that samples have of their own. */
  readonly labelNames: readonly string[];
  readonly table: { readonly all: readonly { reset(): void }[] };
  /** Resolves to the counts of one moment. */
  state(): Promise<readonly RowState[]>;
}

/** The counts of one label set, or what one engine answered. */
export type RowState = SeriesState | EngineState;

const markPrefix = "@nidus/jobs-prometheus.metric.";

/**
 * Marks the metrics of every copy of this package in the process, such as a copy in a bundle. Copies use each other's
 * metrics and sources. Raise the number with any change to the members of either.
 */
const mark = Symbol.for(`${markPrefix}2`);

/** A metric in a prom-client registry. It makes its samples from the counts when the registry is scraped. */
export class PublishedMetric {
  /** Mutable: an OpenMetrics registry removes `_total` from a counter's name by assigning it. */
  name: string;
  readonly help: string;
  readonly type: MetricDefinition["type"];
  readonly aggregator: MetricDefinition["aggregator"];
  readonly source: MetricSource;
  readonly #definition: MetricDefinition;

  constructor(definition: MetricDefinition, source: MetricSource) {
    this.name = source.settings.prefix + definition.name;
    this.help = definition.help;
    this.type = definition.type;
    this.aggregator = definition.aggregator;
    this.source = source;
    this.#definition = definition;
    Object.defineProperty(this, mark, { value: true });
  }

  /** Returns the samples of one series or engine. */
  samplesOf(row: RowState): readonly Sample[] {
    const { samples, engineSamples } = this.#definition;
    if ("isUp" in row) return engineSamples?.(row) ?? [];
    return samples?.(row, this.name, this.source.bucketLabels) ?? [];
  }

  /** Returns the text form. The registry formats `sharedLabels` once. */
  async getForPromString(): Promise<MetricSnapshot> {
    const state = await this.source.state();
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: state.flatMap((series) => this.samplesOf(series)) };
  }

  /** Returns the JSON form, which cluster aggregation reads: every sample has all of its labels. */
  async get(): Promise<MetricSnapshot> {
    const { values, ...declaration } = await this.getForPromString();
    return {
      ...declaration,
      values: values.map(({ sharedLabels, labels, ...sample }) => ({
        ...sample,
        labels: { ...sharedLabels, ...labels },
      })),
    };
  }

  /** A registry's `resetMetrics` calls this on each metric. The metrics of one source are reset together. */
  reset(): void {
    for (const series of this.source.table.all) series.reset();
  }
}

/** Tells whether a metric comes from this package, or from another copy of it. */
export function isPublishedMetric(metric: unknown): metric is PublishedMetric {
  return typeof metric === "object" && metric !== null && mark in metric;
}

/** Tells whether a metric comes from a copy of this package whose metrics have other members. */
export function isOfOtherVersion(metric: object): boolean {
  const marks = Object.getOwnPropertySymbols(metric).map(({ description = "" }) => description);
  return !isPublishedMetric(metric) && marks.some((each) => each.startsWith(markPrefix));
}
