import { formatValue, invalidArgument, requireText } from "@nidus/jobs-core/adapter";

/** Label names that the metrics use, or that Prometheus reserves for histograms and summaries. */
const ownLabels = ["job_name", "status", "engine", "le", "quantile"];

/** Label names that Prometheus sets itself at a scrape. It renames those of the application to `exported_…`. */
const scrapeLabels = ["job", "instance"];

/**
 * Refuses a prefix that no metric's name can begin with. An empty one is none.
 *
 * @throws TypeError
 */
export function requirePrefix(prefix: unknown): void {
  if (typeof prefix === "string" && /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(`${prefix}a`)) return;
  throw invalidArgument(
    "`prefix`",
    "the start of a metric name: letters, digits and _, no digit first",
    prefix,
  );
}

/**
 * Returns the label names by attribute key.
 *
 * @throws TypeError for a key that is no text, or whose label is taken.
 */
export function labelNamesOf(attributeLabels: readonly string[]): ReadonlyMap<string, string> {
  if (!Array.isArray(attributeLabels)) {
    throw invalidArgument("`attributeLabels`", "an array of attribute keys", attributeLabels);
  }
  const names = new Map<string, string>();
  const taken = new Set(ownLabels);
  for (const key of attributeLabels as readonly unknown[]) {
    const name = requireText("each key in `attributeLabels`", key)
      .replace(/[^a-zA-Z0-9_]/g, "_")
      .replace(/^(?=\d)/, "_");
    const isOfScrape = scrapeLabels.includes(name);
    if (isOfScrape || taken.has(name) || name.startsWith("__")) {
      const reason = isOfScrape ? "Prometheus sets itself at a scrape" : "is taken or reserved";
      throw new TypeError(
        `\`attributeLabels\`: ${formatValue(key)} would be the label "${name}", which ${reason}`,
      );
    }
    taken.add(name);
    names.set(key as string, name);
  }
  return names;
}
