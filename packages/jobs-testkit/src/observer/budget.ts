import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import type { Behaviour } from "./behaviour.ts";

const batches = 21;
const runsPerBatch = 5_000;
/** The first batches, which V8 compiles, are not measured. */
const warmUps = 3;

const task = job("measured", () => {});

/** Measures one batch. Returns nanoseconds per run. */
function batchOf(runner: ObservedJobRunner): number {
  const startMs = performance.now();
  for (let run = 0; run < runsPerBatch; run++) runner.run(task);
  return ((performance.now() - startMs) * 1_000_000) / runsPerBatch;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Tests how much more a run costs with the observer than without any. */
export function budget(nanosecondsPerRun: number): Behaviour {
  return (declare) => {
    declare(`costs at most ${nanosecondsPerRun} ns a run`, async ({ subject }) => {
      const observed = subject.runner();
      const bare = new ObservedJobRunner();
      const costs: number[] = [];
      for (let batch = 0; batch < warmUps + batches; batch++) {
        // One after the other, so that other load of the machine affects both.
        const cost = batchOf(observed) - batchOf(bare);
        if (batch >= warmUps) costs.push(cost);
        await nextTurn();
      }
      const cost = Math.round(median(costs));
      assert.ok(
        cost <= nanosecondsPerRun,
        `a run costs ${cost} ns more with the observer (the median of ${batches} batches), ${nanosecondsPerRun} are allowed`,
      );
    });
  };
}
