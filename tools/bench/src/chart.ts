import type { Results } from "./results.ts";

interface Bar {
  readonly label: string;
  readonly nanoseconds: number;
  readonly isOurs: boolean;
}

/** Draws the cost of one run with metrics, or with a span, against the alternatives, as horizontal bars. */
export function chartOf(results: Results): string {
  const bars = barsOf(results);
  const longest = Math.max(...bars.map((bar) => bar.nanoseconds));
  const [rowHeight, left, width] = [30, 300, 760];
  const height = bars.length * rowHeight + 60;
  const rows = bars.map(({ label, nanoseconds, isOurs }, index) => {
    const y = 40 + index * rowHeight;
    const length = Math.max(2, (nanoseconds / longest) * (width - left - 90));
    const fill = isOurs ? "#2f6f4f" : "#9aa5a0";
    return [
      `<text x="${left - 10}" y="${y + 15}" text-anchor="end">${escapeXml(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="20" rx="2" fill="${fill}"/>`,
      `<text x="${(left + length + 8).toFixed(1)}" y="${y + 15}">${nanoseconds.toFixed(0)} ns</text>`,
    ].join("\n");
  });
  const title = `Cost of one observed run, Node ${results.node}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    '<g font-family="system-ui, sans-serif" font-size="13" fill="#22302a">',
    `<text x="10" y="22" font-weight="600">${escapeXml(title)}</text>`,
    ...rows,
    `<text x="10" y="${height - 8}" font-size="11" fill="#5a6660">${escapeXml(results.machine)}, ${results.date}</text>`,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function barsOf({ comparisons }: Results): Bar[] {
  const bar = (id: string, side: "ours" | "peer", label: string): Bar[] => {
    const row = comparisons.find((comparison) => comparison.id === id);
    return row === undefined ? [] : [{ label, nanoseconds: row[side].median, isOurs: side === "ours" }];
  };
  return [
    ...bar("run-noop", "peer", "two clock reads: the floor"),
    ...bar("run-noop", "ours", "Nidus, no-op observer"),
    ...bar("run-prometheus-clock", "ours", "Nidus with Prometheus"),
    ...bar("run-prometheus-bound", "peer", "prom-client by hand, bound labels"),
    ...bar("run-prometheus-by-hand", "peer", "prom-client by hand"),
    ...bar("otel-sampled", "ours", "Nidus with OpenTelemetry"),
    ...bar("otel-sampled", "peer", "OpenTelemetry span by hand"),
  ];
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
