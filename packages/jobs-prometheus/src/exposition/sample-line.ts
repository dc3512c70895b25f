import type { Sample } from "./metrics.ts";

/** The settings that all lines of one exposition share. */
export interface LineFormat {
  /** Whether to write exemplars. */
  readonly isOpenMetrics: boolean;
  /** The default labels as they stand between the braces, or an empty text. */
  readonly defaultLabels: string;
}

/**
 * Writes a sample as a registry does. `name` is for samples without a name of their own. Labels come in the registry's
 * order: its default labels stand between a sample's own labels and its shared ones.
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

/** Escapes labels once: a series keeps the same labels. */
function keptTextOf(labels: Sample["labels"]): string {
  let text = keptTexts.get(labels);
  if (text === undefined) {
    text = textOf(labels);
    keptTexts.set(labels, text);
  }
  return text;
}

/** Writes labels as they stand between the braces. */
function textOf(labels: Sample["labels"]): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(String(value))}"`)
    .join(",");
}

function escapeValue(value: string): string {
  return value.replace(/[\\\n"]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
