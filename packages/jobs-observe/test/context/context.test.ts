import { deepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";
import { job } from "@nidus/jobs-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startedContext } from "../../src/adapter.ts";
import { type ObservedJobContext, ObservedJobRunner } from "../../src/index.ts";
import { Recorder } from "../support/recorder.ts";
import { settled } from "../support/settled.ts";

afterEach(() => vi.useRealTimers());

function contextsOf(run: (runner: ObservedJobRunner) => void): ObservedJobContext[] {
  const recorder = new Recorder();
  run(new ObservedJobRunner(recorder).context("shard", 2));
  return recorder.heard.map(({ context }) => context);
}

describe("a run's contexts", () => {
  it("never change: the context of the start has no duration even after the finish", () => {
    const [started, finished] = contextsOf((runner) => runner.run(job("x", () => {})));
    expect(started?.durationMs).toBeUndefined();
    expect(finished?.durationMs).toBeGreaterThanOrEqual(0);
    expect(started).not.toBe(finished);
    for (const context of [started, finished]) {
      for (const field of ["runId", "jobName", "attributes", "startedAtMs", "durationMs", "delivery"]) {
        expect(() => Object.assign(context as object, { [field]: "changed" })).toThrow(TypeError);
      }
    }
  });

  it("agree on the run id and the start, whichever is read first", () => {
    const [started, finished] = contextsOf((runner) => runner.run(job("x", () => {})));
    expect(finished?.runId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(started?.runId).toBe(finished?.runId);
    expect(started?.startedAtMs).toBe(finished?.startedAtMs);
  });

  it("tell the time of day at which the run started", () => {
    const beforeMs = Date.now();
    const [started] = contextsOf((runner) => runner.run(job("x", () => {})));
    const afterMs = Date.now();
    // A machine may do something else between the reads of the two clocks.
    expect(started?.startedAtMs).toBeGreaterThan(beforeMs - 1_000);
    expect(started?.startedAtMs).toBeLessThan(afterMs + 1_000);
  });

  it("follow a change of the system clock", () => {
    vi.useFakeTimers({ now: new Date("2031-05-06T07:08:09Z") });
    const [started] = contextsOf((runner) => runner.run(job("x", () => {})));
    expect(Math.abs((started?.startedAtMs ?? 0) - Date.parse("2031-05-06T07:08:09Z"))).toBeLessThan(3);
  });

  it("show all of their fields to JSON and to the console", () => {
    const [, finished] = contextsOf((runner) => runner.run(job("x", () => {})));
    const fields = { jobName: "x", attributes: { shard: 2 }, runId: finished?.runId };
    expect(JSON.parse(JSON.stringify(finished))).toMatchObject(fields);
    expect(inspect(finished)).toContain("jobName: 'x'");
    expect(inspect(finished)).toContain(String(finished?.runId));
  });

  it("are not deeply equal, neither those of two runs nor those of one", () => {
    vi.useFakeTimers();
    const contexts = contextsOf((runner) => {
      runner.run(job("x", () => {}));
      runner.run(job("x", () => {}));
    });
    for (const one of contexts) {
      for (const other of contexts) {
        if (one === other) deepStrictEqual(one, other);
        else expect(() => deepStrictEqual(one, other)).toThrow();
      }
    }
  });

  it("have a finite time and a duration that is not negative, whatever a test does to the clocks", () => {
    const clocks: [name: string, install: () => void, during?: () => void][] = [
      ["fake before", () => vi.useFakeTimers()],
      ["fake from the middle on", () => {}, () => vi.useFakeTimers({ now: 0 })],
      ["the day alone is fake", () => {}, () => vi.useFakeTimers({ now: 0, toFake: ["Date"] })],
      ["real from the middle on", () => vi.useFakeTimers({ now: 9e12 }), () => vi.useRealTimers()],
      ["automatic mocks", () => vi.stubGlobal("performance", { now: () => undefined, timeOrigin: () => 0 })],
      ["set back", () => {}, () => vi.spyOn(performance, "now").mockReturnValue(-5)],
    ];
    for (const [, install, during] of clocks) {
      install();
      const [started, finished] = contextsOf((runner) => runner.run(job("x", () => during?.())));
      for (const ms of [started?.startedAtMs, finished?.startedAtMs, finished?.durationMs]) {
        expect(Number.isFinite(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(0);
      }
      vi.useRealTimers();
      vi.unstubAllGlobals();
      vi.restoreAllMocks();
    }
  });

  it("last as long as the test's clock says", () => {
    vi.useFakeTimers();
    const [, finished] = contextsOf((runner) => runner.run(job("x", () => vi.advanceTimersByTime(1_500))));
    expect(finished?.durationMs).toBe(1_500);
  });

  it("give the context with which the run started", () => {
    const contexts = contextsOf((runner) => {
      runner.run(job("x", () => {}));
      runner.run(job("x", () => {}));
    });
    expect(contexts.map(startedContext)).toEqual([contexts[0], contexts[0], contexts[2], contexts[2]]);
    expect(startedContext(contexts[0] as ObservedJobContext)).not.toBe(
      startedContext(contexts[2] as ObservedJobContext),
    );
    const foreign = { ...JSON.parse(JSON.stringify(contexts[0])) } as ObservedJobContext;
    expect(startedContext(foreign)).toBe(foreign);
  });
});

describe("run ids", () => {
  it("are made at most once a run, on the first read", () => {
    let made = 0;
    const recorder = new Recorder();
    const other = new Recorder();
    const runner = new ObservedJobRunner([recorder, other]).runIdGenerator(() => `run-${++made}`);
    runner.run(job("x", () => {}));
    runner.run(job("x", () => {}));
    expect(made).toBe(0);
    const ids = [...recorder.heard, ...other.heard].map(({ context }) => context.runId);
    expect(ids).toEqual(["run-1", "run-1", "run-2", "run-2", "run-1", "run-1", "run-2", "run-2"]);
    expect(made).toBe(2);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no entropy");
      },
    ],
    ["returns nothing", () => undefined as never],
    ["returns an empty string", () => ""],
  ])("are random if the generator %s, with one warning", async (_, generate) => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    try {
      const recorder = new Recorder();
      const runner = new ObservedJobRunner(recorder).runIdGenerator(generate);
      for (let i = 0; i < 3; i++) expect(runner.run(job("x", () => i))).toBe(i);
      const ids = recorder.heard.map(({ context }) => context.runId);
      expect(new Set(ids).size).toBe(3);
      expect(ids.every((id) => id.length === 36)).toBe(true);
      await settled();
      expect(warnings.map(({ name }) => name)).toEqual(["NidusWarning"]);
    } finally {
      process.off("warning", note);
    }
  });
});
