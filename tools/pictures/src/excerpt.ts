/** The metric whose samples the picture shows: the whole exposition has more than a hundred lines. */
const shownMetric = "nidus_jobs_finished_total";

/** Keeps of the demo's output the summary, the failures, the slowest trace, one metric and the last line. `…` stands for left-out lines. */
export function excerptOf(output: string): string[] {
  const lines = output.trimEnd().split("\n");
  const metrics = lines.indexOf("Metrics");
  if (metrics === -1)
    throw new Error(`expected the demo to print "Metrics", got ${lines.length} lines without it`);
  const samples = lines.slice(metrics + 1).filter((line) => line.includes(shownMetric));
  if (samples.length === 0) throw new Error(`expected the demo to print ${shownMetric}, got none`);
  return [...lines.slice(0, metrics + 1), "…", ...samples, "…", "", lines.at(-1) as string];
}
