import { JobError } from "@nidus/jobs-core";
import type { ObservedJobData } from "@nidus/jobs-observe";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FailureLog } from "../../src/process/failure-log.ts";
import { JobActivity } from "../../src/process/job-activity.ts";

const activity = new JobActivity("a", 10);

function run(runId: string): ObservedJobData {
  return { runId, jobName: "a", attributes: {}, startedAtMs: 0, durationMs: 1, delivery: undefined };
}

/** Errors whose texts take 2 ms each by the clock, which stands still otherwise. */
function slowErrors(log: FailureLog, count: number): readonly ObservedJobData[] {
  let nowMs = 1_000;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  const runs = Array.from({ length: count }, (_, index) => run(`run-${index}`));
  for (const each of runs) {
    const error = JobError.from(
      Object.defineProperty(new Error("no"), "code", {
        get() {
          nowMs += 2;
          return "E_SLOW";
        },
      }),
    );
    log.add(activity, each, undefined, error);
  }
  return runs;
}

afterEach(() => void vi.restoreAllMocks());

describe("FailureLog", () => {
  test("reads 20 errors at a time if they take longer than 5 ms, and shows the rest later", () => {
    const log = new FailureLog();
    slowErrors(log, 50);
    const shown = () => [...log.records()].map(({ context }) => context.runId);
    expect(shown()).toEqual(Array.from({ length: 20 }, (_, index) => `run-${index}`));
    expect(shown()).toHaveLength(40);
    expect(shown()).toHaveLength(50);
  });

  test("finds the error of one run without reading the others", () => {
    const log = new FailureLog();
    const runs = slowErrors(log, 30);
    const last = runs[29] as ObservedJobData;
    expect(log.of(last)).toMatchObject({ context: last, error: { message: "no", code: "E_SLOW" } });
    expect(log.of(run("run-29"))).toBeUndefined();
    expect([...log.records()]).toHaveLength(20);
  });
});
