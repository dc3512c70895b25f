import { performance } from "node:perf_hooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AsyncJobQueue, type AsyncJobQueueRunOptions, asyncJob } from "../../src/index.ts";

const quick = asyncJob("quick", async () => {});
/** Blocks for a millisecond, by a clock that fake timers leave alone. */
const busy = asyncJob("busy", () => {
  const endMs = performance.now() + 1;
  while (performance.now() < endMs);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

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
    expect(report.completed.length).toBeGreaterThan(0);
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

  it.each([
    ["all jobs within the call if they take less than 50 ms", 0.1, 400, 400],
    // The clock is not read before each of the first jobs.
    ["only the first jobs within the call if they take longer", 10, 5, 13],
  ])("starts %s, whatever ran before", async (_, jobMs, least, most) => {
    const clock = vi.spyOn(performance, "now").mockReturnValue(1_000);
    const queue = new AsyncJobQueue();
    queue.pushAll(Array(20).fill(quick));
    await queue.drain();
    let nowMs = 2_000;
    clock.mockImplementation(() => nowMs);
    let started = 0;
    const counting = asyncJob("counting", async () => {
      started++;
      nowMs += jobMs;
    });
    queue.pushAll(Array(400).fill(counting));
    const running = queue.drain({ concurrency: Infinity });
    expect(started).toBeGreaterThanOrEqual(least);
    expect(started).toBeLessThanOrEqual(most);
    expect((await running).completed).toHaveLength(400);
  });
});
