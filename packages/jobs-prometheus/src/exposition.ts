import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry, type RegistryContentType } from "prom-client";
import { PublishedMetric } from "./published-metric.ts";
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
  const texts: string[] = [];
  for (const metric of writer.getMetricsAsArray()) {
    // As the registry does, which adds the suffix to each sample instead.
    if (isOpenMetrics && metric.type === "counter") metric.name = metric.name.replace(/_total$/, "");
    texts.push(
      metric instanceof PublishedMetric && !hasAny(format.defaultLabels, metric.accounts.labelNames)
        ? await write(metric, format)
        : await writer.getMetricsAsString(metric),
    );
    await nextTurn();
  }
  return isOpenMetrics ? `${texts.join("\n")}\n# EOF\n` : `${texts.join("\n\n")}\n`;
}

async function write(metric: PublishedMetric, format: LineFormat): Promise<string> {
  await metric.accounts.backlogs.refresh();
  const sampleName = format.isOpenMetrics && metric.type === "counter" ? `${metric.name}_total` : metric.name;
  let text = "";
  let lines = [`# HELP ${metric.name} ${metric.help}`, `# TYPE ${metric.name} ${metric.type}`];
  let sliceEndMs = performance.now() + sliceMs;
  for (const series of metric.accounts.table.all) {
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

/** Whose label it is, where both have one of that name, is the registry's affair. */
function hasAny(labels: string, names: readonly string[]): boolean {
  return names.some((name) => `,${labels}`.includes(`,${name}="`));
}
