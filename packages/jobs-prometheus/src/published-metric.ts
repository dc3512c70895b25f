import type { JobAccounts } from "./job-accounts.ts";
import type { JobSeries } from "./job-series.ts";
import type { MetricDefinition, Sample } from "./metrics.ts";

/** What prom-client's registry gets from a metric. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: MetricDefinition["type"];
  readonly aggregator: MetricDefinition["aggregator"];
  readonly values: readonly Sample[];
}

/** A metric in a prom-client registry whose samples are made from the accounts when the registry is scraped. */
export class PublishedMetric {
  /** An OpenMetrics registry takes the `_total` off a counter's name, by assigning it. */
  name: string;
  readonly help: string;
  readonly type: MetricDefinition["type"];
  readonly aggregator: MetricDefinition["aggregator"];
  readonly accounts: JobAccounts;
  readonly #definition: MetricDefinition;

  constructor(definition: MetricDefinition, accounts: JobAccounts) {
    this.name = accounts.settings.prefix + definition.name;
    this.help = definition.help;
    this.type = definition.type;
    this.aggregator = definition.aggregator;
    this.accounts = accounts;
    this.#definition = definition;
  }

  /** The samples of one series. */
  samplesOf(series: JobSeries): readonly Sample[] {
    return this.#definition.samples(series, this.name, this.accounts.bucketLabels);
  }

  /** For the text form, where the registry formats `sharedLabels` once. */
  async getForPromString(): Promise<MetricSnapshot> {
    await this.accounts.backlogs.refresh();
    const { name, help, type, aggregator } = this;
    const values = this.accounts.table.all.flatMap((series) => this.samplesOf(series));
    return { name, help, type, aggregator, values };
  }

  /** For the JSON form, which cluster aggregation reads: every sample with all of its labels. */
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

  /** What a registry's `resetMetrics` calls on each metric: they share their accounts, and are reset together. */
  reset(): void {
    for (const series of this.accounts.table.all) series.reset();
  }
}
