import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { asyncJob, job } from "@nidus/jobs-core";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { Behaviour } from "./behaviour.ts";
import { bytesInUse } from "./heap.ts";
import type { Subject } from "./subject.ts";

const runsPerPass = 100_000;
/** Fewer than the successful runs: a failing run takes twenty times as long, and an observer that keeps it needs more memory. */
const failuresPerPass = 25_000;
/** Runs between two turns of the event loop, which observers that send data need. */
const runsPerTurn = 1_000;
/** 20 bytes per run: less than any record of a run takes, and more than the process's other memory varies. */
const allowedBytes = 20 * runsPerPass;
/** Several passes: a leak grows in every pass, and other allocations do not. */
const furtherPasses = 3;

type Run = (runner: ObservedJobRunner, index: number) => unknown;

/** Runs the passes. The first fills bounded caches; one of the others must not grow the memory. */
async function staysBounded(subject: Subject, runs: number, run: Run): Promise<void> {
  let index = 0;
  const pass = async (): Promise<number> => {
    const runner = subject.runner();
    for (let count = 1; count <= runs; count++) {
      const running = run(runner, index++);
      if (running !== undefined) await running;
      if (count % runsPerTurn === 0) await nextTurn();
    }
    return bytesInUse();
  };
  let before = await pass();
  const grown: number[] = [];
  for (let further = 0; further < furtherPasses; further++) {
    const after = await pass();
    if (after - before < allowedBytes) return;
    grown.push(Math.round((after - before) / runs));
    before = after;
  }
  assert.fail(`the memory grew by ${grown.join(", ")} bytes a run, in passes of ${runs} runs`);
}

export const memory: Behaviour = (declare) => {
  declare("is bounded over any number of runs", async ({ subject }) => {
    const task = job("same", () => {});
    await staysBounded(subject, runsPerPass, (runner) => runner.run(task));
  });

  declare("is bounded over any number of job names", async ({ subject }) => {
    await staysBounded(subject, runsPerPass, (runner, index) => runner.run(job(`job_${index}`, () => {})));
  });

  declare("is bounded over runs that fail and are cancelled", async ({ subject }) => {
    const signal = AbortSignal.abort();
    const failing = job("failing", () => {
      throw new Error("again");
    });
    const cancelled = asyncJob("cancelled", () => Promise.reject(signal.reason));
    await staysBounded(subject, failuresPerPass, (runner, index) => {
      if (index % 2 === 0) return runner.runAsync(cancelled, { signal }).catch(() => {});
      try {
        runner.run(failing);
      } catch {
        // The job fails on purpose.
      }
      return undefined;
    });
  });
};
