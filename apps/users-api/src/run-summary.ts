import type { JobObserver, JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";

interface JobTimes {
  failures: number;
  readonly durationsMs: number[];
}

/** Notes how long each run took, for the summary at the end of one batch. It keeps a number a run. */
export class RunSummary implements JobObserver {
  readonly #byName = new Map<string, JobTimes>();

  onJobFinished(context: ObservedJobContext, status: JobResultStatus): void {
    const times = this.#byName.get(context.jobName) ?? { failures: 0, durationsMs: [] };
    this.#byName.set(context.jobName, times);
    times.durationsMs.push(context.durationMs ?? 0);
    if (status === "failure") times.failures++;
  }

  /** A line a job name under a line of headings. Times are milliseconds. */
  render(): string {
    const rows = [...this.#byName].map(([name, { durationsMs, failures }]) => {
      const sorted = durationsMs.sort((a, b) => a - b);
      const times = [quantile(sorted, 0.5), quantile(sorted, 0.95), quantile(sorted, 1)];
      return [name, String(sorted.length), String(failures), ...times.map((time) => time.toFixed(2))];
    });
    return renderTable([["job", "runs", "failures", "p50 ms", "p95 ms", "max ms"], ...rows]);
  }
}

/** The smallest value that at least the share `q` of the sorted values does not exceed. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? 0;
}

/** The first column to the left, the others to the right. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}
