import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, it, vi } from "vitest";
import { sequentialRunIds, testing } from "../src/index.ts";

const task = job("task", () => "done");

describe("sequentialRunIds", () => {
  it("counts, each generator for itself", () => {
    const ids = sequentialRunIds();
    expect([ids(), ids(), sequentialRunIds("digest")()]).toEqual(["run-1", "run-2", "digest-1"]);
  });

  it("refuses what is no prefix", () => {
    expect(() => sequentialRunIds("")).toThrow(TypeError);
    expect(() => sequentialRunIds(7 as never)).toThrow("expected `prefix` to be a non-empty string, got 7");
  });
});

describe("testing", () => {
  it("records the runs of all of its runners, with ids that count on", () => {
    const observability = testing("users-api");
    observability.jobRunner().run(task);
    observability.jobRunner().context("tenant", "a").run(task);
    expect(observability.recorder.runs).toMatchObject([
      { jobName: "task", runId: "users-api-1", status: "success", attributes: {} },
      { jobName: "task", runId: "users-api-2", status: "success", attributes: { tenant: "a" } },
    ]);
  });

  it("gives an observer to a runner of one's own", () => {
    const observability = testing("users-api");
    new ObservedJobRunner(observability.jobObserver()).run(task);
    expect(observability.recorder.runsOf("task")).toHaveLength(1);
  });

  it("shares nothing with another one", () => {
    const [one, other] = [testing("one"), testing("other")];
    one.jobRunner().run(task);
    expect(other.recorder.runs).toEqual([]);
  });

  it("can be flushed and ended any number of times, keeps its runs, and still runs jobs", async () => {
    const observability = testing("users-api");
    {
      await using scoped = observability;
      scoped.jobRunner().run(task);
      await scoped.forceFlush();
      await scoped.shutdown();
    }
    expect(observability.jobRunner().run(task)).toBe("done");
    expect(observability.recorder.runs).toHaveLength(2);
  });

  it("prints nothing, also when a job fails", () => {
    const printed = vi.spyOn(process, "emitWarning");
    const write = vi.spyOn(process.stderr, "write");
    const failing = job("failing", () => {
      throw new Error("no");
    });
    try {
      expect(() => testing("users-api").jobRunner().run(failing)).toThrow("no");
      expect(printed).not.toHaveBeenCalled();
      expect(write).not.toHaveBeenCalled();
    } finally {
      vi.restoreAllMocks();
    }
  });

  it("refuses what is no name", () => {
    expect(() => testing("")).toThrow("expected the service's name to be a non-empty string");
    expect(() => testing(7 as never)).toThrow(TypeError);
  });
});
