import { deepEqual, equal } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { type AsyncJob, AsyncJobQueue, asyncJob, JobQueue, job } from "@nidus/jobs-core";
import { neverAbortedSignal } from "@nidus/jobs-core/adapter";
import type { Checks } from "./check.ts";

export const checks: Checks = {
  "a queue runs all of its jobs, and reports what failed"() {
    const queue = new JobQueue();
    const broken = job("broken", () => {
      throw new RangeError("out of paper");
    });
    queue.push(
      job("first", () => 1),
      broken,
      job("last", () => 2),
    );
    const report = queue.runAll();
    deepEqual(report.completed, ["first", "last"]);
    equal(report.failed[0]?.error.message, "out of paper");
    equal(report.failed[0]?.error.cause instanceof RangeError, true);
    equal(queue.size, 3);
  },

  async "an async queue runs as many jobs at once as it was told"() {
    const queue = new AsyncJobQueue();
    let running = 0;
    let most = 0;
    for (let index = 0; index < 20; index++) {
      queue.push(
        asyncJob("waits", async () => {
          most = Math.max(most, ++running);
          await pause(1);
          running--;
        }),
      );
    }
    const report = await queue.runAll({ concurrency: 3 });
    deepEqual([report.completed.length, report.isSuccess, most], [20, true, 3]);
  },

  async "a drain takes jobs out, also those pushed meanwhile"() {
    const queue = new AsyncJobQueue();
    queue.push(asyncJob("first", () => queue.push(asyncJob("pushed", async () => {}))));
    deepEqual((await queue.drain()).completed, ["first", "pushed"]);
    equal(queue.isEmpty, true);
  },

  async "an abort in mid-run cancels what runs and starts nothing more"() {
    const aborting = new AbortController();
    const queue = new AsyncJobQueue();
    queue.push(sleeper("first"), sleeper("second"), sleeper("third"));
    const run = queue.runAll({ concurrency: 2, signal: aborting.signal });
    await pause(1);
    aborting.abort();
    const report = await run;
    deepEqual(report.cancelled, ["first", "second"]);
    deepEqual([report.failed, report.notStarted, report.wasAborted], [[], ["third"], true]);
  },

  async "the signal that never aborts is a signal, and stores no listeners"() {
    const warnings: string[] = [];
    const note = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", note);
    const queue = new AsyncJobQueue();
    let calls = 0;
    const listens = asyncJob("listens", async (signal) => {
      signal.addEventListener("abort", () => calls++);
      await pause(1, undefined, { signal });
    });
    queue.pushAll(Array(200).fill(listens));
    const report = await queue.drain({ concurrency: 200 });
    neverAbortedSignal().dispatchEvent(new Event("abort"));
    process.off("warning", note);
    deepEqual([report.completed.length, calls, warnings], [200, 0, []]);

    const own = new AbortController();
    const derived = AbortSignal.any([neverAbortedSignal(), own.signal]);
    own.abort("why");
    deepEqual([derived.aborted, derived.reason, neverAbortedSignal().aborted], [true, "why", false]);
  },
};

/** Rejects when its signal is aborted, like the runtime's own timer. */
function sleeper(name: string): AsyncJob {
  return asyncJob(name, (signal) => pause(60_000, undefined, { signal }));
}
