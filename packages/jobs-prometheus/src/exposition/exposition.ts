import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry, type RegistryContentType } from "prom-client";
import type { SeriesState } from "../counts/job-series.ts";
import { isPublishedMetric, type PublishedMetric } from "./published-metric.ts";
import { type LineFormat, lineOf } from "./sample-line.ts";

/** How long samples are written before other work has its turn. */
const sliceMs = 10;

/** What prom-client's declarations leave out of its registry. */
interface MetricWriter {
  getMetricsAsArray(): readonly { name: string; readonly type: string }[];
  getMetricsAsString(metric: unknown): Promise<string>;
}

/**
 * What `registry.metrics()` returns, with the job metrics written straight from their numbers, and in slices: a scrape of
 * many thousand jobs does not stall the process. Metrics of others in the registry are written by it, one at a time.
 *
 * @throws (rejects with) what a metric of somebody else's throws when it is collected.
 */
export async function expositionOf(registry: Registry<RegistryContentType>): Promise<string> {
  const isOpenMetrics = registry.contentType === Registry.OPENMETRICS_CONTENT_TYPE;
  const writer = registry as unknown as MetricWriter;
  const format = { isOpenMetrics, defaultLabels: await defaultLabelsOf(writer) };
  const metrics = writer.getMetricsAsArray();
  const sources = new Set(metrics.filter(isPublishedMetric).map((metric) => metric.source));
  if ([...sources].some(({ labelNames }) => hasAny(format.defaultLabels, labelNames))) {
    return registry.metrics();
  }
  // All that is written here is of this moment, however long the writing takes.
  const states = new Map(
    await Promise.all([...sources].map(async (each) => [each, await each.state()] as const)),
  );
  const texts: string[] = [];
  for (const metric of metrics) {
    // As the registry does, which adds the suffix to each sample instead.
    if (isOpenMetrics && metric.type === "counter") metric.name = metric.name.replace(/_total$/, "");
    texts.push(
      isPublishedMetric(metric)
        ? await write(metric, states.get(metric.source) ?? [], format)
        : await writer.getMetricsAsString(metric),
    );
    await nextTurn();
  }
  return isOpenMetrics ? `${texts.join("\n")}\n# EOF\n` : `${texts.join("\n\n")}\n`;
}

async function write(
  metric: PublishedMetric,
  state: readonly SeriesState[],
  format: LineFormat,
): Promise<string> {
  const sampleName = format.isOpenMetrics && metric.type === "counter" ? `${metric.name}_total` : metric.name;
  let text = "";
  let lines = [`# HELP ${metric.name} ${metric.help}`, `# TYPE ${metric.name} ${metric.type}`];
  let sliceEndMs = performance.now() + sliceMs;
  for (const series of state) {
    for (const sample of metric.samplesOf(series)) lines.push(lineOf(sampleName, sample, format));
    if (performance.now() > sliceEndMs) {
      text += lines.join("\n");
      // Whatever line comes next, if any, is set off from the text before it.
      lines = [""];
      await nextTurn();
      sliceEndMs = performance.now() + sliceMs;
    }
  }
  return text + lines.join("\n");
}

/** The registry's default labels as they stand between braces: it tells them by what it adds to a sample. */
async function defaultLabelsOf(writer: MetricWriter): Promise<string> {
  const sample = { value: 0, labels: {} };
  const text = await writer.getMetricsAsString({
    get: () => ({ name: "probe", help: "", type: "gauge", values: [sample] }),
  });
  const labels = /^probe\{(.*)\} 0$/ms.exec(text)?.[1];
  return labels ?? "";
}

/** If samples have a label of that name themselves, the registry decides which of the two stays. */
function hasAny(labels: string, names: readonly string[]): boolean {
  return names.some((name) => `,${labels}`.includes(`,${name}="`));
}
