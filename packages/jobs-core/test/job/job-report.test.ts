import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { AsyncJobQueue, asyncJob, JobError, JobQueue, job } from "../../src/index.ts";

const failing = (name: string) =>
  job(name, () => {
    throw new Error(`${name} broke`);
  });

describe("JobReport.throwIfFailed", () => {
  it("does nothing after a success", () => {
    const queue = new JobQueue();
    queue.push(job("a", () => {}));
    expect(() => queue.runAll().throwIfFailed()).not.toThrow();
  });

  it("throws one AggregateError with the JobErrors of all failed jobs", () => {
    const queue = new JobQueue();
    queue.pushAll(["a", "b", "c", "d"].map(failing));
    const report = queue.runAll();
    const error = thrownBy(() => report.throwIfFailed());
    expect(error.errors).toEqual(report.failed.map((failure) => failure.error));
    expect(error.errors.every((each) => JobError.isInstance(each))).toBe(true);
    expect(error.message).toBe("4 failed. First: a broke");
  });

  it("throws after an abort too, with its reason as the last cause", async () => {
    const aborting = new AbortController();
    const queue = new AsyncJobQueue();
    queue.push(
      asyncJob("stop", async () => aborting.abort(new Error("closing time"))),
      asyncJob("never", async () => {}),
    );
    const report = await queue.runAll({ signal: aborting.signal });
    const error = thrownBy(() => report.throwIfFailed());
    expect(error.message).toBe("the run was aborted: closing time");
    expect(error.errors.map((each: JobError) => each.cause)).toEqual([aborting.signal.reason]);
  });
});

describe("a JobReport as data", () => {
  const reportOf = async () => {
    const aborting = new AbortController();
    const queue = new AsyncJobQueue();
    queue.push(
      asyncJob("a", async () => {}),
      failing("b"),
      asyncJob("stop", async () => aborting.abort("deploy")),
      asyncJob("never", async () => {}),
    );
    return queue.runAll({ signal: aborting.signal });
  };

  it("is written by JSON.stringify, without stacks and causes", async () => {
    expect(JSON.parse(JSON.stringify(await reportOf()))).toEqual({
      completed: ["a", "stop"],
      failed: [{ jobName: "b", message: "b broke", code: "NIDUS_JOB_FAILED" }],
      cancelled: [],
      notStarted: ["never"],
      wasAborted: true,
      isSuccess: false,
    });
  });

  it("is called JobReport on the console, from both queues", async () => {
    expect(inspect(await reportOf())).toMatch(/^JobReport \{/);
    expect(inspect(new JobQueue().runAll())).toMatch(/^JobReport \{/);
  });

  it("names the abort of a signal without a reason", async () => {
    const signal = { aborted: true, addEventListener() {} } as unknown as AbortSignal;
    const queue = new AsyncJobQueue();
    queue.push(asyncJob("never", async () => {}));
    const report = await queue.drain({ signal });
    expect(() => report.throwIfFailed()).toThrow("the run was aborted: This operation was aborted");
  });
});

function thrownBy(run: () => void): AggregateError {
  try {
    run();
  } catch (error) {
    if (error instanceof AggregateError) return error;
  }
  throw new Error("expected an AggregateError");
}
