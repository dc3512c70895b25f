import type { Side } from "../comparison.ts";

export const operations = 1_000;

/** Measures the floor: the least time that it takes to measure a duration. */
export const twoClockReads: Side = {
  label: "two clock reads",
  run: () => {
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      const startMs = performance.now();
      sum += performance.now() - startMs;
    }
    return sum;
  },
};
