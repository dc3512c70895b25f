import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry, type RegistryContentType } from "prom-client";
import type { Sample } from "./metrics.ts";
import { PublishedMetric } from "./published-metric.ts";

/** How long samples are written before other work has its turn. */
const sliceMs = 10;

/** What prom-client's declarations leave out of its registry. */
interface MetricWriter {
  getMetricsAsArray(): readonly unknown[];
  getMetricsAsString(metric: unknown): Promise<string>;
}

/**
 * What `registry.metrics()` returns, with the job metrics written straight from their numbers, and in slices: a scrape of
 * many thousand jobs does not stall the process. Metrics of others in the registry are written by it, one at a time.
 *
 * @throws (rejects with) what a metric of somebody else's throws when it is collected.
 */
export async function expositionOf(registry: Registry<RegistryContentType>): Promise<string> {
  // OpenMetrics renames counters as it writes them, which is the registry's own affair.
  if (registry.contentType !== Registry.PROMETHEUS_CONTENT_TYPE) return registry.metrics();
  const writer = registry as unknown as MetricWriter;
  const defaultLabels = await defaultLabelsOf(writer);
  const texts: string[] = [];
  for (const metric of writer.getMetricsAsArray()) {
    texts.push(
      metric instanceof PublishedMetric && !hasAny(defaultLabels, metric.accounts.labelNames)
        ? await write(metric, defaultLabels)
        : await writer.getMetricsAsString(metric),
    );
    await nextTurn();
  }
  return `${texts.join("\n\n")}\n`;
}

async function write(metric: PublishedMetric, defaultLabels: string): Promise<string> {
  const lines = [`# HELP ${metric.name} ${metric.help}`, `# TYPE ${metric.name} ${metric.type}`];
  let sliceEndMs = performance.now() + sliceMs;
  for (const series of metric.accounts.table.all) {
    for (const sample of metric.samplesOf(series)) lines.push(lineOf(sample, metric.name, defaultLabels));
    if (performance.now() > sliceEndMs) {
      await nextTurn();
      sliceEndMs = performance.now() + sliceMs;
    }
  }
  return lines.join("\n");
}

/** Labels in the registry's order: its default labels stand between those of a sample and those that samples share. */
function lineOf(
  { metricName, labels, sharedLabels, value }: Sample,
  name: string,
  defaultLabels: string,
): string {
  const texts = [textOf(labels), defaultLabels, sharedLabels === undefined ? "" : textOf(sharedLabels)];
  return `${metricName ?? name}{${texts.filter((text) => text !== "").join(",")}} ${value}`;
}

const labelTexts = new WeakMap<Sample["labels"], string>();

/** Labels as they stand between the braces. A series keeps its labels, so they are escaped once. */
function textOf(labels: Sample["labels"]): string {
  let text = labelTexts.get(labels);
  if (text === undefined) {
    text = Object.entries(labels)
      .map(([name, value]) => `${name}="${escapeValue(String(value))}"`)
      .join(",");
    labelTexts.set(labels, text);
  }
  return text;
}

function escapeValue(value: string): string {
  return value.replace(/[\\\n"]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
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
