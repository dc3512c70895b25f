import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LeasedJob } from "../../src/backend.ts";
import { defineJob, type JobHandlerContext, type StoredJobProgress } from "../../src/index.ts";
import { deferred } from "../support/deferred.ts";
import { fetched, ScriptedConsumer } from "../support/scripted-backend.ts";
import { startWork, type Working } from "../support/working.ts";

// Fake timers do not reach this module of Node's.
vi.mock("node:timers/promises", () => import("../support/fake-pause.ts"));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A consumer that stores progress as the test says, and notes it. */
class SavingConsumer extends ScriptedConsumer {
  readonly saved: [attempt: number, fraction: number][] = [];
  onSave: () => Promise<void> = async () => {};

  saveProgress(job: LeasedJob, { fraction }: StoredJobProgress): Promise<void> {
    this.saved.push([job.attempt, fraction]);
    return this.onSave();
  }
}

const after = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** Starts one job, and gives its context out. */
async function start(consumer: ScriptedConsumer): Promise<{
  readonly working: Working;
  readonly context: JobHandlerContext;
  end(error?: Error): Promise<unknown>;
}> {
  const started = deferred<JobHandlerContext>();
  const ended = deferred<void>();
  const job = defineJob<string>({
    name: "send_mail",
    run(_, context) {
      started.resolve(context);
      return ended.promise;
    },
  });
  const working = await startWork(consumer, job, { concurrency: 2 });
  consumer.push(fetched("a", { maxAttempts: 3 }));
  const context = await started.promise;
  return {
    working,
    context,
    end(error) {
      if (error === undefined) ended.resolve();
      else ended.reject(error);
      return after(0);
    },
  };
}

describe("the progress of a job", () => {
  it("is saved at once, and then at most once a second", async () => {
    const consumer = new SavingConsumer();
    const { context, end } = await start(consumer);
    for (let step = 1; step <= 9; step++) {
      context.progress(step / 100);
      await after(100);
    }
    expect(consumer.saved).toEqual([[1, 0.01]]);
    await after(100);
    expect(consumer.saved).toEqual([
      [1, 0.01],
      [1, 0.09],
    ]);
    await after(10_000);
    expect(consumer.saved, "nothing new was reported").toHaveLength(2);
    context.progress(0.5);
    context.progress(0.6);
    expect(consumer.saved.at(-1)).toEqual([1, 0.5]);
    await end();
    expect(consumer.settlements.map(({ outcome }) => outcome)).toEqual([
      { type: "succeeded", progress: { fraction: 0.6, note: undefined } },
    ]);
    await after(10_000);
    expect(consumer.saved, "the outcome has saved the last report").toHaveLength(3);
  });

  it("goes with every outcome, and with every repetition of a settlement", async () => {
    const consumer = new SavingConsumer();
    const { context, end } = await start(consumer);
    context.progress(0.5, "half");
    consumer.onSettle = async () => {
      if (consumer.settlements.length === 1) throw new Error("the server is away");
      return { isRecorded: true };
    };
    await end(new Error("no"));
    await after(1_000);
    expect(consumer.settlements.map(({ outcome }) => [outcome.type, outcome.progress])).toEqual([
      ["retried", { fraction: 0.5, note: "half" }],
      ["retried", { fraction: 0.5, note: "half" }],
    ]);
  });

  it("is not saved any more once the worker no longer waits for the handler", async () => {
    const consumer = new SavingConsumer();
    const { working, context } = await start(consumer);
    context.progress(0.1);
    context.progress(0.2);
    const stopping = working.worker.stop({ graceMs: 0, abortMs: 0 });
    await after(0);
    expect(await stopping).toMatchObject({ abandoned: 1 });
    await after(10_000);
    expect(consumer.saved).toEqual([[1, 0.1]]);
  });

  it("adds nothing to the outcome of a job that reports none", async () => {
    const consumer = new SavingConsumer();
    const { end } = await start(consumer);
    await end();
    expect(consumer.settlements.map(({ outcome }) => outcome)).toEqual([{ type: "succeeded" }]);
  });

  it("never fails the job: a store that is away or silent is told to `onError`", async () => {
    const consumer = new SavingConsumer();
    const { working, context, end } = await start(consumer);
    consumer.onSave = () => Promise.reject(new Error("the server is away"));
    context.progress(0.1);
    await after(1_000);
    consumer.onSave = () => new Promise(() => {});
    context.progress(0.2);
    await after(20_000);
    context.progress(0.3);
    await after(0);
    expect(consumer.saved.map(([, fraction]) => fraction)).toEqual([0.1, 0.2, 0.3]);
    expect(working.errors.map(String)).toEqual([
      "Error: the server is away",
      expect.stringContaining("saving progress: no answer within 10000 ms"),
    ]);
    await end();
    expect(consumer.endings).toEqual(["a succeeded"]);
  });

  it("is saved under the lease that the job has by now, if the job came again to this process", async () => {
    const consumer = new SavingConsumer();
    const { context, end } = await start(consumer);
    context.progress(0.1);
    consumer.push(fetched("a", { attempt: 2, maxAttempts: 3, followsStalled: true }));
    await after(1_000);
    context.progress(0.2);
    expect(consumer.saved).toEqual([
      [1, 0.1],
      [2, 0.2],
    ]);
    await end();
    expect(consumer.settlements.at(-1)?.outcome.progress).toEqual({ fraction: 0.2, note: undefined });
  });

  it("is not saved when the handler has ended", async () => {
    const consumer = new SavingConsumer();
    const { working, context, end } = await start(consumer);
    await end();
    context.progress(0.9);
    expect(consumer.saved).toEqual([]);
    expect(() => context.progress(2)).toThrow(RangeError);
    expect(working.errors).toEqual([]);
  });

  it("is told to observers alone if the store does not keep it", async () => {
    const consumer = new ScriptedConsumer();
    const { context, end } = await start(consumer);
    context.progress(0.5);
    await end();
    expect(consumer.settlements.map(({ outcome }) => outcome)).toEqual([{ type: "succeeded" }]);
  });
});
