import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { type RedisServer, startRedis } from "test-servers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { bullmqEngine } from "../../src/index.ts";

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(() => redis.stop());

describe("a worker whose clock differs from that of Redis", () => {
  it.each([40_000, -40_000])("keeps the backoff, and says so: %d ms", async (offsetMs) => {
    const realNow = Date.now;
    vi.spyOn(Date, "now").mockImplementation(() => realNow() + offsetMs);
    const recorder = recordingObserver();
    const errors: unknown[] = [];
    await using engine = await bullmqEngine({
      runner: new ObservedJobRunner(recorder),
      connection: { url: redis.url },
      queue: `clocks-${crypto.randomUUID()}`,
      onError: (error) => errors.push(error),
    });
    const startedAtMs: number[] = [];
    const waitedMs: number[] = [];
    const job = defineJob({
      name: "flaky",
      maxAttempts: 3,
      backoff: { baseMs: 800, maxMs: 800 },
      run(_, { delivery }) {
        startedAtMs.push(performance.now());
        waitedMs.push(Date.now() - (delivery?.runAt.getTime() ?? 0));
        if (startedAtMs.length < 3) throw new Error("not yet");
      },
    });
    await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    // In time: with the clock of the worker, it would be up to 40 s.
    await expect.poll(() => startedAtMs.length, { timeout: 35_000 }).toBe(3);
    const [first = 0, second = 0, third = 0] = startedAtMs;
    // Backoff has a jitter of half its length.
    expect(second - first).toBeGreaterThan(300);
    expect(third - second).toBeGreaterThan(300);
    for (const waited of waitedMs) expect(Math.abs(waited)).toBeLessThan(20_000);
    const direction = offsetMs > 0 ? "ahead of" : "behind";
    expect(errors.map(String)).toEqual([
      expect.stringMatching(
        new RegExp(`the clock of this process is (3[5-9]|4[0-5])\\.\\d s ${direction} the clock of Redis`),
      ),
    ]);
  });

  it("runs a schedule once for all moments by which its clock is behind", async () => {
    const realNow = Date.now;
    const startMs = realNow();
    vi.spyOn(Date, "now").mockImplementation(() => realNow() - 3_600_000);
    await using engine = await bullmqEngine({
      runner: new ObservedJobRunner(),
      connection: { url: redis.url },
      queue: `clocks-${crypto.randomUUID()}`,
      onError() {},
    });
    const moments: number[] = [];
    const job = defineJob({
      name: "ticking",
      run: (_, { delivery }) => void moments.push(delivery?.runAt.getTime() ?? 0),
    });
    await engine.schedule(job, { everyMs: 1_000 }, undefined);
    await engine.work({ jobs: [job] });
    await expect.poll(() => moments.filter((each) => each > startMs).length, { timeout: 30_000 }).toBe(2);
    // The first moment is by the clock of this process.
    expect(moments).toHaveLength(3);
  });

  it("leaves a clock alone that is right", async () => {
    const errors: unknown[] = [];
    await using engine = await bullmqEngine({
      runner: new ObservedJobRunner(),
      connection: { url: redis.url },
      queue: `clocks-${crypto.randomUUID()}`,
      onError: (error) => errors.push(error),
    });
    await engine.work({ jobs: [defineJob({ name: "calm", run() {} })] });
    expect(errors).toEqual([]);
  });
});

describe("jobs of one name", () => {
  it("run in the order in which they were enqueued, also after one was released", async () => {
    await using engine = await bullmqEngine({
      runner: new ObservedJobRunner(),
      connection: { url: redis.url },
      queue: `order-${crypto.randomUUID()}`,
    });
    const order: number[] = [];
    let isHeld = true;
    const job = defineJob<number>({
      name: "ordered",
      async run(payload, { signal }) {
        if (payload === 3 && isHeld) {
          isHeld = false;
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          signal.throwIfAborted();
        }
        order.push(payload);
      },
    });
    const payloads = Array.from({ length: 12 }, (_, index) => index);
    await engine.enqueueMany(job, payloads.slice(0, 6));
    const first = await engine.work({ jobs: [job] });
    for (const payload of payloads.slice(6)) await engine.enqueue(job, payload);
    await expect.poll(() => isHeld).toBe(false);
    await first.stop({ graceMs: 0 });
    await engine.work({ jobs: [job] });
    await expect.poll(() => order).toEqual(payloads);
  });
});
