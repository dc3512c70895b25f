import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { expect, onTestFinished, test } from "vitest";
import { RunTracker } from "../src/run-tracker.ts";

function engineOf(tracker: RunTracker) {
  const engine = memoryEngine({ runner: new ObservedJobRunner([tracker]) });
  onTestFinished(() => engine.close());
  return engine;
}

const task = defineJob<{ fails: number }>({
  name: "task",
  backoff: { baseMs: 1, maxMs: 1 },
  run({ fails }, { delivery }) {
    if ((delivery?.attempt ?? 0) <= fails) throw new Error("no");
  },
});

test("jobs count as settled when they have ended for good, after any number of attempts, and however soon", async () => {
  const tracker = new RunTracker();
  const engine = engineOf(tracker);
  await engine.work({ jobs: [task], concurrency: 3 });
  tracker.begin();
  const enqueued = await engine.enqueueMany(task, [{ fails: 0 }, { fails: 2 }, { fails: 9 }]);
  const ids = new Set(enqueued.map(({ id }) => id));
  await tracker.settled(ids);
  expect(tracker.countSettled(ids)).toBe(3);
  expect(tracker.countSettled(new Set())).toBe(0);
  await tracker.settled(ids);
  tracker.end();
  expect(tracker.countSettled(ids)).toBe(0);
});

test("a run that ended with its worker is cancelled, but not settled", async () => {
  const tracker = new RunTracker();
  const engine = engineOf(tracker);
  let onStarted = (): void => {};
  const started = new Promise<void>((resolve) => {
    onStarted = resolve;
  });
  const waiting = defineJob({
    name: "waiting",
    run: (_payload, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        onStarted();
      }),
  });
  tracker.begin();
  const worker = await engine.work({ jobs: [waiting] });
  const ids = new Set([(await engine.enqueue(waiting, undefined)).id]);
  await started;
  await worker.stop({ graceMs: 0 });
  expect([tracker.countCancelled(ids), tracker.countSettled(ids)]).toEqual([1, 0]);
});
