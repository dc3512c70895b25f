import type { JobObserver, JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";

interface JobTimes {
  failures: number;
  readonly durationsMs: number[];
}

/** Records how long each run took, for the summary at the end. It keeps one number per run. */
export class RunSummary implements JobObserver {
  readonly #byName = new Map<string, JobTimes>();

  onJobFinished(context: ObservedJobContext, status: JobResultStatus): void {
    const times = this.#byName.get(context.jobName) ?? { failures: 0, durationsMs: [] };
    this.#byName.set(context.jobName, times);
    times.durationsMs.push(context.durationMs ?? 0);
    if (status === "failure") times.failures++;
  }

  /** Returns a line of headings and one line per job name. Times are in milliseconds. */
  render(): string {
    const rows = [...this.#byName].map(([name, { durationsMs, failures }]) => {
      const sorted = durationsMs.sort((a, b) => a - b);
      const times = [quantile(sorted, 0.5), quantile(sorted, 0.95), quantile(sorted, 1)];
      return [name, String(sorted.length), String(failures), ...times.map((time) => time.toFixed(2))];
    });
    return renderTable([["job", "runs", "failures", "p50 ms", "p95 ms", "max ms"], ...rows]);
  }
}

/** Returns the smallest value that is at least as large as the share `q` of the sorted values. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? 0;
}

/** Aligns the first column left, and the others right. */
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
