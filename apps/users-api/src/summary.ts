import type { JobError } from "@nidus/jobs-core";
import type { JobObserver, JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";
import { UnusableAddressError } from "./jobs/send-digest.ts";

/** Records how the runs of a demo ended. It keeps one number per run. */
export class Summary implements JobObserver {
  readonly #jobs = new Map<string, { durationsMs: number[]; failures: number }>();
  readonly #failures = new Map<string, { count: number; sample: string }>();
  /** Whether a run failed in a way that not any history would cause. */
  hasUnexpectedFailure = false;

  onJobFinished(
    { jobName, durationMs = 0 }: ObservedJobContext,
    status: JobResultStatus,
    error?: JobError,
  ): void {
    const job = this.#jobs.get(jobName) ?? { durationsMs: [], failures: 0 };
    this.#jobs.set(jobName, job);
    job.durationsMs.push(durationMs);
    if (status !== "failure" || error === undefined) return;
    job.failures++;
    this.hasUnexpectedFailure ||= !(error instanceof UnusableAddressError);
    const sample = `${jobName}: ${error.message}`;
    // Failures that differ in a number or in a quoted text are of one kind.
    const kind = sample.replace(/"[^"]*"|\d+/g, "…");
    const { count } = this.#failures.get(kind) ?? { count: 0 };
    this.#failures.set(kind, { count: count + 1, sample });
  }

  /** Returns a line of headings and one line per job name. Times are in milliseconds. */
  table(): string {
    const rows = [...this.#jobs].map(([name, { durationsMs, failures }]) => {
      const sorted = durationsMs.toSorted((a, b) => a - b);
      const times = [0.5, 0.95, 1].map((share) => quantile(sorted, share).toFixed(2));
      return [name, String(sorted.length), String(failures), ...times];
    });
    return aligned([["job", "runs", "failures", "p50 ms", "p95 ms", "max ms"], ...rows]);
  }

  /** Returns one line for all failures of one kind, the most frequent first. */
  failures(): string {
    const kinds = [...this.#failures.values()].sort((a, b) => b.count - a.count);
    return kinds.map(({ count, sample }) => `${count} × ${sample}`).join("\n") || "none";
  }
}

/** Returns the smallest value that is at least as large as the share of the sorted values. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Aligns the first column left, and the others right. */
function aligned(rows: readonly string[][]): string {
  const widthOf = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map(([name = "", ...cells]) => {
      const numbers = cells.map((cell, index) => cell.padStart(widthOf(index + 1)));
      return [name.padEnd(widthOf(0)), ...numbers].join("  ");
    })
    .join("\n");
}
