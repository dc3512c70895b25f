import { currentJobObserver, type JobObserver, jobObserverChannel } from "@nidus/jobs-observe";
import { afterEach, describe, expect, it, test, vi } from "vitest";
import { type CreateObserver, type ObserverUnderTest, observerContract } from "../src/contracts.ts";
import { observerTestsOf } from "./support/observer-failures.ts";

describe("currentJobObserver", () => {
  observerContract({ test, createObserver: currentJobObserver });
});

describe("jobObserverChannel", () => {
  observerContract({
    test,
    createObserver() {
      const [observer, receiver] = jobObserverChannel();
      return { observer, shutdown: () => receiver.close() };
    },
  });
});

describe("observerContract", () => {
  afterEach(() => vi.restoreAllMocks());

  it("declares a test of time only if there is a budget", () => {
    const createObserver = (): JobObserver => ({});
    const without = [...observerTestsOf({ createObserver }).keys()];
    const within = [...observerTestsOf({ createObserver, budget: { nanosecondsPerRun: 80.5 } }).keys()];
    expect(within.filter((name) => !without.includes(name))).toEqual(["budget: costs at most 80.5 ns a run"]);
  });

  it("makes a fresh observer for each test, and shuts it down", async () => {
    const shutdown = vi.fn();
    const createObserver = vi.fn(async (): Promise<ObserverUnderTest> => ({ observer: {}, shutdown }));
    const tests = observerTestsOf({ createObserver });
    for (const name of [...tests.keys()].slice(0, 3)) await tests.get(name)?.();
    expect(createObserver).toHaveBeenCalledTimes(3);
    expect(shutdown).toHaveBeenCalledTimes(3);
  });

  it("takes what has hooks for an observer, also if it has one within it", async () => {
    let calls = 0;
    const createObserver: CreateObserver = () => ({ observer: {}, onJobStarted: () => void calls++ });
    const [first] = observerTestsOf({ createObserver }).values();
    await first?.();
    expect(calls).toBeGreaterThan(0);
  });

  it("fails if no observer was made", async () => {
    for (const created of [undefined, null, "observer", { observer: undefined }]) {
      const [first] = observerTestsOf({ createObserver: () => created as never }).values();
      await expect(first?.()).rejects.toThrow("`createObserver` makes to be an object");
    }
  });

  it("refuses wrong options", () => {
    const options = { test, createObserver: () => ({}) };
    expect(() => observerContract({ ...options, test: "test" as never })).toThrow(TypeError);
    expect(() => observerContract({ ...options, createObserver: {} as never })).toThrow("`createObserver`");
    expect(() => observerContract({ ...options, bugdet: {} } as never)).toThrow(/"bugdet".*`budget`/);
    for (const nanosecondsPerRun of [0, -1, Number.NaN]) {
      expect(() => observerContract({ ...options, budget: { nanosecondsPerRun } })).toThrow(RangeError);
    }
    expect(() => observerContract({ ...options, budget: {} as never })).toThrow(TypeError);
    expect(() => observerContract({ ...options, budget: null as never })).toThrow(TypeError);
  });
});
