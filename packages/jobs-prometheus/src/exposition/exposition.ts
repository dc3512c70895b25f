import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry, type RegistryContentType } from "prom-client";
import { isPublishedMetric, type PublishedMetric, type RowState } from "./published-metric.ts";
import { type LineFormat, lineOf } from "./sample-line.ts";

/** How many milliseconds to write samples before other work gets a turn. */
const sliceMs = 10;

/** Members of a registry that the types of prom-client leave out. */
interface MetricWriter {
  getMetricsAsArray(): readonly { name: string; readonly type: string }[];
  getMetricsAsString(metric: unknown): Promise<string>;
}

/**
 * Returns the same text as `registry.metrics()`. It writes the job metrics straight from their numbers and in slices,
 * so that a scrape of many thousand job names does not stall the process. The registry writes all other metrics, one at
 * a time.
 *
 * @throws (rejects with) the error of another metric that fails to collect.
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
  // All job metrics are of this moment, however long the writing takes.
  const states = new Map(
    await Promise.all([...sources].map(async (each) => [each, await each.state()] as const)),
  );
  const texts: string[] = [];
  for (const metric of metrics) {
    // The registry does so too, and then adds the suffix to each sample.
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
  state: readonly RowState[],
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
      // Starts the next line, if there is one, on a new line of the text.
      lines = [""];
      await nextTurn();
      sliceEndMs = performance.now() + sliceMs;
    }
  }
  return text + lines.join("\n");
}

/**
 * Returns the registry's default labels as they stand between the braces. The registry has no getter for them, so this
 * reads what it adds to a sample.
 */
async function defaultLabelsOf(writer: MetricWriter): Promise<string> {
  const sample = { value: 0, labels: {} };
  const text = await writer.getMetricsAsString({
    get: () => ({ name: "probe", help: "", type: "gauge", values: [sample] }),
  });
  const labels = /^probe\{(.*)\} 0$/ms.exec(text)?.[1];
  return labels ?? "";
}

/** If a sample has a default label's name itself, let the registry decide which of the two stays. */
function hasAny(labels: string, names: readonly string[]): boolean {
  return names.some((name) => `,${labels}`.includes(`,${name}="`));
}
