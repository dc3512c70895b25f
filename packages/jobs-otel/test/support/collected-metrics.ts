import type { Meter } from "@opentelemetry/api";
import { MeterProvider, type MetricData, MetricReader } from "@opentelemetry/sdk-metrics";

class ManualReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}

  protected async onShutdown(): Promise<void> {}
}

/** Makes a meter of the real SDK, and a function that collects its measurements. */
export class MeasuredMetrics {
  readonly #reader: ManualReader = new ManualReader();
  readonly provider: MeterProvider = new MeterProvider({ readers: [this.#reader] });
  readonly meter: Meter = this.provider.getMeter("test");

  async collect(): Promise<ReadonlyMap<string, MetricData>> {
    const { resourceMetrics } = await this.#reader.collect();
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    return new Map(all.map((metric) => [metric.descriptor.name, metric]));
  }

  /** Returns the points of a metric as pairs of attributes and value; the value of a histogram is its count. */
  async points(name: string): Promise<[attributes: object, value: number][]> {
    const points = (await this.collect()).get(name)?.dataPoints ?? [];
    return points.map(({ attributes, value }) => [
      attributes,
      typeof value === "number" ? value : value.count,
    ]);
  }
}
