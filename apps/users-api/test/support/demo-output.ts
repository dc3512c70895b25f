/** The output of the demo: sections by heading, the line about an earlier run, and the last line. */
export interface DemoOutput {
  readonly pageUrl: string;
  readonly summary: Readonly<Record<string, readonly string[]>>;
  readonly failures: readonly string[];
  readonly trace: readonly string[];
  readonly metrics: string;
  readonly earlier: string | undefined;
  readonly lastLine: string;
}

const form =
  /^Jobs index[^\n]*\nLive page: (\S+)[^\n]*\n\nSummary\n(.*)\n\nFailures\n(.*)\n\nThe slowest run with steps\n(.*?)\n\n(?:Metrics\n(.*)\n\n)?(?:([^\n]*)\n)?([^\n]*)\n$/s;

/** Parses the output, with the summary by job name. */
export function parseDemoOutput(stdout: string): DemoOutput {
  const match = form.exec(stdout);
  if (match === null) throw new Error(`this is not what the demo prints: ${stdout}`);
  const [pageUrl = "", summary = "", failures = "", trace = "", metrics = "", earlier, lastLine = ""] =
    match.slice(1);
  const rows = summary.split("\n").map((row) => row.trim().split(/ {2,}/));
  return {
    pageUrl,
    summary: Object.fromEntries(rows.map(([name = "", ...cells]) => [name, cells])),
    failures: failures.split("\n"),
    trace: trace.split("\n"),
    metrics,
    earlier,
    lastLine,
  };
}
