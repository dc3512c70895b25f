import type { Findings } from "./findings.ts";
import type { KnownLimit } from "./known-limits.ts";

/** A check on every runtime. */
export interface Row {
  readonly check: string;
  /** The verdicts, in the order of the findings. */
  readonly cells: readonly Cell[];
}

/** A check on one runtime. */
interface Cell {
  readonly state: "ok" | "limit" | "failed";
  /** The error, if the check is not ok. */
  readonly problem?: string;
}

/** Judges every check that any runtime has reported, on all runtimes. If a runtime has not reported a check, it failed there. */
export function judge(all: readonly Findings[], limits: readonly KnownLimit[]): Row[] {
  const checks = new Set(all.flatMap(({ errors }) => [...errors.keys()]));
  return [...checks].map((check) => ({
    check,
    cells: all.map((findings) => cellOf(check, findings, limits)),
  }));
}

function cellOf(check: string, { runtime, errors }: Findings, limits: readonly KnownLimit[]): Cell {
  const isKnown = limits.some((limit) => limit.check === check && limit.runtimes.includes(runtime.name));
  if (!errors.has(check)) return { state: "failed", problem: "it was not reported" };
  const problem = errors.get(check);
  if (problem !== undefined) return { state: isKnown ? "limit" : "failed", problem };
  return isKnown ? { state: "failed", problem: "it works, and is listed as a known limit" } : { state: "ok" };
}
