import { unixTimeMs } from "@nidus/jobs-observe/adapter";

/** Returns Unix milliseconds, or null for a value that is no valid Date: engines read what other programs stored. */
export function timeOf(date: unknown): number | null {
  const ms = Object.prototype.toString.call(date) === "[object Date]" ? (date as Date).getTime() : Number.NaN;
  return Number.isFinite(ms) ? ms : null;
}

/** Returns the Unix milliseconds of a moment of `performance.now()`, or null for NaN. */
export function timeOfClock(clockMs: number): number | null {
  return Number.isNaN(clockMs) ? null : Math.round(unixTimeMs(clockMs));
}

/** Returns the value that a share of the sorted values does not exceed, or null without values. */
export function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/** Returns the duration of a kept run in milliseconds, to a hundredth. */
export function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** Says a duration in words that fit a sentence: "45 s", "12 min", "3 h". */
export function spoken(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
