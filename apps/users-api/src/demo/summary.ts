import type { JobError } from "@nidus/jobs-core";
import type { JobObserver, JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";
import { UnusableAddressError } from "../jobs/send-digest.ts";

interface FailureGroup {
  count: number;
  readonly sample: string;
  isAlike: boolean;
}

/** How many groups of failures to list. */
const maxGroups = 20;

/** Records how the runs of a demo ended. It keeps one number per run. */
export class Summary implements JobObserver {
  readonly #durationsMs = new Map<string, number[]>();
  readonly #failures = new Map<string, FailureGroup>();
  readonly #failed = new Map<string, number>();
  /** Whether a run failed in a way that not any history would cause. */
  hasUnexpectedFailure = false;

  onJobFinished(
    { jobName, durationMs = 0 }: ObservedJobContext,
    status: JobResultStatus,
    error?: JobError,
  ): void {
    const durations = this.#durationsMs.get(jobName) ?? [];
    this.#durationsMs.set(jobName, durations);
    durations.push(durationMs);
    if (status !== "failure" || error === undefined) return;
    this.#failed.set(jobName, (this.#failed.get(jobName) ?? 0) + 1);
    this.hasUnexpectedFailure ||= !(error instanceof UnusableAddressError);
    const sample = `${jobName}: ${error.message}`;
    const key = sample.replace(/"[^"]*"|\d+/g, "…");
    const group = this.#failures.get(key);
    if (group === undefined) this.#failures.set(key, { count: 1, sample, isAlike: true });
    else {
      group.count++;
      group.isAlike &&= group.sample === sample;
    }
  }

  /** Returns a line of headings and one line per job name. Times are in milliseconds. */
  table(): string {
    const rows = [...this.#durationsMs].map(([name, durationsMs]) => {
      const sorted = durationsMs.sort((a, b) => a - b);
      const times = [0.5, 0.95, 1].map((share) => quantile(sorted, share).toFixed(2));
      return [name, String(sorted.length), String(this.#failed.get(name) ?? 0), ...times];
    });
    return align([["job", "runs", "failures", "p50 ms", "p95 ms", "max ms"], ...rows]);
  }

  /** Returns one line for all failures of one kind, the most frequent first. */
  failures(): string {
    const groups = [...this.#failures.values()].sort((a, b) => b.count - a.count);
    const lines = groups
      .slice(0, maxGroups)
      .map(({ count, sample, isAlike }) => `${count} × ${sample}${isAlike ? "" : ", and others like it"}`);
    if (groups.length > maxGroups) lines.push(`and ${groups.length - maxGroups} other kinds`);
    return lines.length === 0 ? "none" : lines.join("\n");
  }
}

/** Returns the smallest value that is at least as large as the share of the sorted values. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Aligns the first column left, and the others right. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const cellOf = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(cellOf).join("  ")).join("\n");
}
