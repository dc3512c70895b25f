/** One line of an exposition, read back. */
export interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the samples of an exposition like a scraper: unescapes labels, skips comments, refuses duplicates. */
export function parse(text: string): Line[] {
  const seen = new Set<string>();
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const match = /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:\\.|[^"\\])*")*)\})? (\S+)/.exec(line);
      if (match === null) throw new Error(`not a sample: ${line}`);
      const [, name = "", labelText = "", value = ""] = match;
      const labels = labelsIn(labelText);
      const series = JSON.stringify([name, Object.entries(labels).sort()]);
      if (seen.has(series)) throw new Error(`twice: ${line}`);
      seen.add(series);
      return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
    });
}

function labelsIn(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([a-zA-Z_]\w*)="((?:\\.|[^"\\])*)"/g)];
  const unescaped = (value: string): string =>
    value.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, unescaped(value)]));
}

/** Returns the value of the sample with this name and at least these labels. */
export function sampleOf(
  lines: readonly Line[],
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const matching = lines.filter(
    (line) =>
      line.name === name && Object.entries(labels).every(([key, value]) => line.labels[key] === value),
  );
  if (matching.length > 1)
    throw new Error(`${matching.length} samples match ${name} ${JSON.stringify(labels)}`);
  return matching[0]?.value;
}
