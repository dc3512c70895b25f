import { measure } from "mitata";
import type { Comparison, Measured, Side, Spread } from "./comparison.ts";

/** The number of times that the two sides are measured in turn, in one process. */
export interface Effort {
  readonly rounds: number;
  /** The CPU time of one side in one round. */
  readonly cpuMs: number;
}

/** Nanoseconds an operation of both sides, in one round. */
export interface Round {
  readonly ours: number;
  readonly peer: number;
}

/** Measures the two sides in turn, round by round, so that a slower machine slows both. */
export async function measureRounds(comparison: Comparison, effort: Effort): Promise<Round[]> {
  const { operations, ours, peer, rounds = effort.rounds } = comparison;
  const time = comparison.followsCollection ? timeAfterCollection : timeOf;
  comparison.prepare?.();
  const measured: Round[] = [];
  // The first round warms up and does not count.
  for (let round = 0; round <= rounds; round++) {
    const first = round % 2 === 0 ? ours : peer;
    const second = first === ours ? peer : ours;
    const a = await time(first, operations, effort.cpuMs);
    const b = await time(second, operations, effort.cpuMs);
    if (round > 0) measured.push(first === ours ? { ours: a, peer: b } : { ours: b, peer: a });
  }
  return measured;
}

/** Computes the ratio of each round, then the median of the rounds with its quarters. */
export function summaryOf(comparison: Comparison, rounds: readonly Round[]): Measured {
  const { id, title, ours, peer, asked, note } = comparison;
  const isFaster = asked !== undefined && "timesFaster" in asked;
  const ratio = spreadOf(rounds.map((time) => (isFaster ? time.peer / time.ours : time.ours / time.peer)));
  return {
    id,
    title,
    ours: { label: ours.label, ...spreadOf(rounds.map((time) => time.ours)) },
    peer: { label: peer.label, ...spreadOf(rounds.map((time) => time.peer)) },
    ratio,
    asked,
    isMet:
      asked && ("timesFaster" in asked ? ratio.median >= asked.timesFaster : ratio.median <= asked.atMost),
    ...(note === undefined ? {} : { note }),
  };
}

/** Measures nanoseconds an operation: the median of the harness's samples. */
async function timeOf({ run }: Side, operations: number, cpuMs: number): Promise<number> {
  const { p50 } = await measure(run, {
    min_cpu_time: cpuMs * 1e6,
    min_samples: 2,
    warmup_samples: 1,
    batch_samples: 16,
    gc: false,
  });
  return p50 / operations;
}

/** Measures the same with a full garbage collection before each sample, which discards caches. */
async function timeAfterCollection({ run }: Side, operations: number): Promise<number> {
  const samplesMs: number[] = [];
  while (samplesMs.length < 10) {
    globalThis.gc?.();
    const startMs = performance.now();
    await run();
    samplesMs.push(performance.now() - startMs);
  }
  return (spreadOf(samplesMs).median * 1e6) / operations;
}

/** Computes the median of values, and their quarters. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { p25: at(0.25), median: at(0.5), p75: at(0.75) };
}
