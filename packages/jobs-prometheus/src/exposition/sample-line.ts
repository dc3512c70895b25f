import type { Sample } from "./metrics.ts";

/** What the lines of one exposition have in common. */
export interface LineFormat {
  /** Whether exemplars are written. */
  readonly isOpenMetrics: boolean;
  /** As they stand between the braces, or empty. */
  readonly defaultLabels: string;
}

/**
 * A sample as a registry writes it; `name` is for those that have none of their own. Labels come in the registry's order: its
 * default labels stand between those of a sample and those that samples share.
 */
export function lineOf(
  name: string,
  { metricName = name, labels, sharedLabels, value, exemplar }: Sample,
  { isOpenMetrics, defaultLabels }: LineFormat,
): string {
  const texts = [
    keptTextOf(labels),
    defaultLabels,
    sharedLabels === undefined ? "" : keptTextOf(sharedLabels),
  ];
  const line = `${metricName}{${texts.filter((text) => text !== "").join(",")}} ${value}`;
  if (exemplar === undefined || !isOpenMetrics) return line;
  return `${line} # {${textOf(exemplar.labelSet)}} ${exemplar.value} ${exemplar.timestamp}`;
}

const keptTexts = new WeakMap<Sample["labels"], string>();

/** A series keeps its labels, so they are escaped once. */
function keptTextOf(labels: Sample["labels"]): string {
  let text = keptTexts.get(labels);
  if (text === undefined) {
    text = textOf(labels);
    keptTexts.set(labels, text);
  }
  return text;
}

/** Labels as they stand between the braces. */
function textOf(labels: Sample["labels"]): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(String(value))}"`)
    .join(",");
}

function escapeValue(value: string): string {
  return value.replace(/[\\\n"]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
