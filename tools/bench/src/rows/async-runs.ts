import { asyncJob } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { production } from "@nidus/observability";
import type { Comparison, Side } from "../comparison.ts";
import { operations } from "./clock.ts";

const work = asyncJob("send_digest", async () => {});
const { signal } = new AbortController();

function repeated(label: string, run: () => Promise<unknown>): Side {
  return {
    label,
    run: async () => {
      for (let i = 0; i < operations; i++) await run();
    },
  };
}

const bareWithClock: Side = {
  label: "await with two clock reads",
  run: async () => {
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      const startMs = performance.now();
      await work.run(signal);
      sum += performance.now() - startMs;
    }
    return sum;
  },
};

const noOpRunner = new ObservedJobRunner({ onJobStarted() {}, onJobFinished() {} });
const prometheusRunner = production("bench").prometheus().jobRunner();

export const asyncRunComparisons: readonly Comparison[] = [
  {
    id: "run-async-noop",
    title: "runAsync, observer without effect, against await with two clock reads",
    operations,
    ours: repeated("runAsync", () => noOpRunner.runAsync(work)),
    peer: bareWithClock,
    asked: undefined,
  },
  {
    id: "run-async-prometheus",
    title: "runAsync with Prometheus against await with two clock reads",
    operations,
    ours: repeated("runAsync", () => prometheusRunner.runAsync(work)),
    peer: bareWithClock,
    asked: { atMost: 2.2 },
  },
];
