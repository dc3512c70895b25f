import { performance } from "node:perf_hooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AsyncJobQueue, type AsyncJobQueueRunOptions, asyncJob } from "../../src/index.ts";

const quick = asyncJob("quick", async () => {});
/** Blocks for a millisecond, by a clock that fake timers leave alone. */
const busy = asyncJob("busy", () => {
  const endMs = performance.now() + 1;
  while (performance.now() < endMs);
});

afterEach(() => vi.useRealTimers());

describe("a long drain of jobs that wait for nothing", () => {
  it.each([
    ["quick jobs", quick, {}],
    ["busy jobs", busy, {}],
    ["quick jobs at once", quick, { concurrency: 10 }],
    ["any number of busy jobs at once", busy, { concurrency: Infinity }],
  ])("lets timers abort it: %s", async (_, each, options: AsyncJobQueueRunOptions) => {
    const queue = new AsyncJobQueue();
    const endless = asyncJob("endless", (signal) => {
      queue.push(endless);
      return each.run(signal);
    });
    queue.push(endless, endless);
    const report = await queue.drain({ ...options, signal: AbortSignal.timeout(30) });
    expect([report.wasAborted, report.failed]).toEqual([true, []]);
    expect(report.completed.length).toBeGreaterThan(1);
  });

  it("lets timers fire between short drains", async () => {
    const queue = new AsyncJobQueue();
    let hasFired = false;
    setTimeout(() => {
      hasFired = true;
    }, 20);
    while (!hasFired) {
      queue.push(quick);
      await queue.drain();
    }
    expect(hasFired).toBe(true);
  });

  it("lets timers fire while any number of jobs start", async () => {
    let [hasFired, firedAfter] = [false, 0];
    const queue = new AsyncJobQueue();
    queue.pushAll(
      Array(2_000).fill(
        asyncJob("busy", (signal) => {
          if (!hasFired) firedAfter++;
          else if (firedAfter > 0) return;
          return busy.run(signal);
        }),
      ),
    );
    setTimeout(() => {
      hasFired = true;
    }, 1);
    expect((await queue.runAll({ concurrency: Infinity })).completed).toHaveLength(2_000);
    expect(firedAfter).toBeLessThan(2_000);
  });

  it("goes on if tests replace timers", async () => {
    vi.useFakeTimers();
    const queue = new AsyncJobQueue();
    queue.pushAll(Array(20).fill(busy));
    expect((await queue.drain()).completed).toHaveLength(20);
  });

  it("starts its first jobs within the call", () => {
    const queue = new AsyncJobQueue();
    const started: number[] = [];
    for (let i = 0; i < 8; i++)
      queue.push(
        asyncJob("first", (signal) => {
          started.push(i);
          return busy.run(signal);
        }),
      );
    void queue.drain({ concurrency: 8 });
    expect(started).toHaveLength(8);
  });
});
