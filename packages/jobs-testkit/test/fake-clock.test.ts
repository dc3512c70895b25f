import { mock } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fakeClock, recordingObserver } from "../src/index.ts";

const startMs = Date.UTC(2024, 1, 29);

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
});

describe("fakeClock", () => {
  it("makes runs take as long as the test says, exactly", async () => {
    using clock = fakeClock(startMs);
    const recorder = recordingObserver();
    const starts: number[] = [];
    const runner = new ObservedJobRunner([
      recorder,
      { onJobStarted: (context) => starts.push(context.startedAtMs) },
    ]);
    runner.run(job("sync", () => clock.advance(250)));
    await runner.runAsync(
      asyncJob("async", async () => {
        await undefined;
        clock.advance(3_600_000);
      }),
    );
    expect(recorder.runs.map(({ durationMs }) => durationMs)).toEqual([250, 3_600_000]);
    expect(starts).toEqual([startMs, startMs + 250]);
    expect(clock.nowMs).toBe(startMs + 3_600_250);
  });

  it("stands still, and starts at the present where nothing was said", async () => {
    const beforeMs = Date.now();
    using clock = fakeClock();
    expect(clock.nowMs - beforeMs).toBeLessThan(10_000);
    const readings = [Date.now(), performance.now()];
    await pause(5);
    expect([Date.now(), performance.now()]).toEqual(readings);
    expect(readings).toEqual([clock.nowMs, clock.nowMs]);
  });

  it("gives the real clocks back, as they were", () => {
    const clocks = () => [
      Object.getOwnPropertyDescriptor(Date, "now"),
      Object.getOwnPropertyDescriptor(performance, "now"),
      performance.now,
    ];
    const before = clocks();
    const clock = fakeClock(startMs);
    clock.restore();
    clock.restore();
    expect(clocks()).toEqual(before);
    expect(Date.now()).toBeGreaterThan(startMs);
    expect(() => clock.advance(1)).toThrow("has been restored");
    {
      using _again = fakeClock(startMs);
      expect(Date.now()).toBe(startMs);
    }
    expect(clocks()).toEqual(before);
  });

  it("is not installed twice", () => {
    using clock = fakeClock(startMs);
    expect(() => fakeClock()).toThrow("there already is a fake clock");
    clock.advance(1);
    expect(Date.now()).toBe(startMs + 1);
  });

  it("refuses wrong times", () => {
    expect(() => fakeClock("now" as never)).toThrow(TypeError);
    expect(() => fakeClock(0.5)).toThrow(RangeError);
    using clock = fakeClock(startMs);
    for (const ms of [0, -1, 0.5, Number.NaN]) expect(() => clock.advance(ms)).toThrow(RangeError);
    expect(() => clock.advance("1" as never)).toThrow("expected `ms` to be a whole number from 1");
    expect(clock.nowMs).toBe(startMs);
  });

  it("leaves new Date() and timers to the real clock", async () => {
    using _clock = fakeClock(startMs);
    expect(new Date() > new Date(startMs)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1));
  });
});

describe("fakeClock with other fake timers", () => {
  it("combines with those of vitest that fake timers alone", () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    using clock = fakeClock(startMs);
    const fired: number[] = [];
    setTimeout(() => fired.push(Date.now()), 1_000);
    clock.advance(1_000);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(fired).toEqual([startMs + 1_000]);
  });

  it("combines with those of node:test that fake timers alone", () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    using clock = fakeClock(startMs);
    const fired: number[] = [];
    setTimeout(() => fired.push(Date.now()), 1_000);
    clock.advance(1_000);
    mock.timers.tick(1_000);
    expect(fired).toEqual([startMs + 1_000]);
  });

  it("is what is read within those of vitest, and is not moved by them", () => {
    vi.useFakeTimers({ now: 1 });
    const clock = fakeClock(startMs);
    vi.advanceTimersByTime(500);
    expect([Date.now(), performance.now()]).toEqual([startMs, startMs]);
    clock.restore();
    expect(Date.now()).toBe(501);
  });

  it("is not read while those of vitest, installed later, fake the clocks", () => {
    using clock = fakeClock(startMs);
    vi.useFakeTimers({ now: 1 });
    clock.advance(500);
    expect(Date.now()).toBe(1);
    vi.useRealTimers();
    expect([Date.now(), performance.now()]).toEqual([startMs + 500, startMs + 500]);
  });
});
