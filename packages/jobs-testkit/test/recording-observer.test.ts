import { asyncJob, job } from "@nidus/jobs-core";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { currentJobObserver, ObservedJobRunner, reportProgress } from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { recordingObserver, sequentialRunIds } from "../src/index.ts";

/** A promise, and the function that resolves it. */
function deferred(): [promise: Promise<void>, resolve: () => void] {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return [promise, resolve];
}

const fails = (name: string) =>
  job(name, () => {
    throw new RangeError("mailbox full");
  });

describe("recordingObserver", () => {
  it("keeps runs in the order in which they started, each with how it ended", async () => {
    const recorder = recordingObserver();
    const runner = new ObservedJobRunner(recorder).runIdGenerator(sequentialRunIds()).context("tenant", "a");
    const [slowly, end] = deferred();
    const slow = runner.runAsync(asyncJob("slow", () => slowly));
    expect(() => runner.run(fails("fails"))).toThrow("mailbox full");
    const aborted = AbortSignal.abort();
    const cancelled = runner.runAsync(
      asyncJob("cancelled", (signal) => Promise.reject(signal.reason)),
      { signal: aborted },
    );
    await expect(cancelled).rejects.toBe(aborted.reason);
    expect(recorder.runs[0]).toMatchObject({ status: "running", durationMs: undefined, error: undefined });
    end();
    await slow;
    expect(recorder.runs).toMatchObject([
      { jobName: "slow", runId: "run-1", status: "success", attributes: { tenant: "a" }, error: undefined },
      { jobName: "fails", runId: "run-2", status: "failure", delivery: undefined },
      { jobName: "cancelled", runId: "run-3", status: "cancelled" },
    ]);
    expect(recorder.runs[1]?.error?.cause).toBeInstanceOf(RangeError);
    for (const { durationMs } of recorder.runs) expect(durationMs).toBeGreaterThanOrEqual(0);
  });

  it("hands out runs that never change", () => {
    const recorder = recordingObserver();
    const during = new ObservedJobRunner(recorder).run(job("once", () => recorder.runs[0]));
    expect(during).toMatchObject({ status: "running" });
    expect(Object.isFrozen(recorder.runs[0])).toBe(true);
  });

  it("keeps how far runs said they had come", () => {
    const recorder = recordingObserver();
    const runner = new ObservedJobRunner([currentJobObserver(), recorder]).runIdGenerator(sequentialRunIds());
    runner.run(job("mail", () => reportProgress(0.5, "half")));
    expect(recorder.progressed).toEqual([{ jobName: "mail", runId: "run-1", fraction: 0.5, note: "half" }]);
    recorder.clear();
    expect(recorder.progressed).toEqual([]);
  });

  it("finds the runs of one job", () => {
    const recorder = recordingObserver();
    const runner = new ObservedJobRunner(recorder);
    for (const name of ["a", "b", "a"]) runner.run(job(name, () => {}));
    expect(recorder.runsOf("a")).toHaveLength(2);
    expect(recorder.runsOf("c")).toEqual([]);
  });

  it("keeps what engines tell: enqueued jobs, deliveries and what became of them", async () => {
    const recorder = recordingObserver();
    await using engine = memoryEngine({ runner: new ObservedJobRunner(recorder) });
    const digest = defineJob<string>({
      name: "digest",
      backoff: { baseMs: 1, maxMs: 1 },
      run(_, { delivery }) {
        if (delivery?.attempt === 1) throw new Error("once");
      },
    });
    await engine.enqueueMany(digest, ["ada"], { correlationId: "order 7" });
    await engine.work({ jobs: [digest] });
    await expect.poll(() => recorder.outcomesOf("digest")).toEqual(["retried", "succeeded"]);
    expect(recorder.opened).toMatchObject([{ engine: "memory" }]);
    expect(recorder.enqueued).toMatchObject([{ jobName: "digest", count: 1, correlationId: "order 7" }]);
    expect(recorder.settled.map(({ delivery }) => delivery.attempt)).toEqual([1, 2]);
    expect(recorder.runs.map(({ status, delivery }) => [status, delivery?.attempt])).toEqual([
      ["failure", 1],
      ["success", 2],
    ]);
    expect(recorder.outcomesOf("another")).toEqual([]);
  });

  it("forgets everything when it is cleared, also how runs under way end", async () => {
    const recorder = recordingObserver();
    const runner = new ObservedJobRunner(recorder);
    const [slowly, end] = deferred();
    const slow = runner.runAsync(asyncJob("slow", () => slowly));
    recorder.clear();
    runner.run(job("next", () => {}));
    end();
    await slow;
    expect(recorder.runs).toMatchObject([{ jobName: "next", status: "success" }]);
  });
});
