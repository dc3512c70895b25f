import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, test } from "vitest";
import { ProcessActivity } from "../../src/process/process-activity.ts";
import { processFigures, runningByJob } from "../../src/views/job-figures.ts";
import { stateOf } from "../../src/views/job-state.ts";
import type { StoredFigures } from "../../src/wire.ts";

const nothingStored: StoredFigures = {
  scheduled: 0,
  waiting: 0,
  running: 0,
  deadLetters: 0,
  oldestWaitingAt: null,
};

function setUp() {
  const activity = new ProcessActivity();
  const runner = new ObservedJobRunner(activity.observer());
  const state = (stored: StoredFigures | null = null, now = Date.now()) => {
    const found = activity.find("a");
    const process = found === undefined ? null : processFigures(found, runningByJob(activity));
    return stateOf({ activity: found, process, stored, now });
  };
  const succeed = (times = 1) => {
    for (let index = 0; index < times; index++) runner.run(job("a", () => {}));
  };
  const fail = (times = 1) => {
    for (let index = 0; index < times; index++) {
      try {
        runner.run(
          job("a", () => {
            throw new Error("no");
          }),
        );
      } catch {
        // Observed.
      }
    }
  };
  return { activity, runner, state, succeed, fail };
}

function settled(outcome: "retried" | "succeeded") {
  const delivery = {
    engine: "e",
    queue: "q",
    jobId: "1",
    attempt: 1,
    maxAttempts: 5,
    enqueuedAt: new Date(),
    runAt: new Date(),
  };
  return {
    jobName: "a",
    outcome,
    error: undefined,
    delivery: { ...delivery, correlationId: undefined, carrier: {} },
  } as const;
}

describe("the state of a job", () => {
  test("is fine if its runs succeed", () => {
    const { state, succeed } = setUp();
    succeed(3);
    expect(state().state).toBe("fine");
  });

  test("is failing if every run failed, and fine again after enough successes", () => {
    const { state, succeed, fail } = setUp();
    fail();
    expect(state()).toEqual({ state: "failing", reason: "1 of 1 runs failed in 15 min" });
    succeed(20);
    expect(state().state).toBe("fine");
  });

  test("is failing above a tenth of failures, and not below", () => {
    const { state, succeed, fail } = setUp();
    succeed(100);
    fail(9);
    succeed();
    expect(state().state).toBe("fine");
    fail(5);
    succeed();
    expect(state().state).toBe("failing");
  });

  test("is failing while a delivery waits for its next attempt", () => {
    const { runner, state, succeed } = setUp();
    succeed(100);
    runner.settled(settled("retried"));
    expect(state()).toMatchObject({
      state: "failing",
      reason: "Its last attempt failed",
    });
    succeed();
    expect(state().state).toBe("fine");
  });

  test("is stuck if a run takes longer than its objective, else longer than an hour", async () => {
    const { activity, runner, state } = setUp();
    let end = () => {};
    const run = runner.runAsync(
      asyncJob(
        "a",
        () =>
          new Promise<void>((resolve) => {
            end = resolve;
          }),
      ),
    );
    expect(state().state).toBe("fine");
    expect(state(null, Date.now() + 3_700_000).state).toBe("stuck");
    const found = activity.find("a");
    if (found !== undefined) found.objectives = { finishWithinMs: 1_000 };
    expect(state(null, Date.now() + 2_000).state).toBe("stuck");
    end();
    await run;
  });

  test("is late if a job waits longer than its objective, else longer than ten minutes", () => {
    const { activity, state, succeed } = setUp();
    succeed();
    const waiting = { ...nothingStored, waiting: 1, running: 1, oldestWaitingAt: Date.now() - 120_000 };
    expect(state(waiting).state).toBe("fine");
    expect(state({ ...waiting, oldestWaitingAt: Date.now() - 700_000 }).state).toBe("late");
    const found = activity.find("a");
    if (found !== undefined) found.objectives = { startWithinMs: 60_000 };
    expect(state(waiting).state).toBe("late");
  });

  test("is late without a success for longer than its objective", () => {
    const { activity, state, succeed } = setUp();
    succeed();
    const found = activity.find("a");
    if (found !== undefined) found.objectives = { succeedEveryMs: 60_000 };
    expect(state(null, Date.now() + 30_000).state).toBe("fine");
    expect(state(null, Date.now() + 90_000).state).toBe("late");
  });

  test("has no worker if jobs wait for a minute and none runs", () => {
    const { state } = setUp();
    expect(state({ ...nothingStored, waiting: 3, oldestWaitingAt: Date.now() - 90_000 }).state).toBe(
      "no-worker",
    );
    expect(state({ ...nothingStored, waiting: 3, oldestWaitingAt: Date.now() - 30_000 }).state).toBe("fine");
    expect(
      state({ ...nothingStored, waiting: 3, running: 1, oldestWaitingAt: Date.now() - 90_000 }).state,
    ).toBe("fine");
  });

  test("is slow if its p95 is above its objective", async () => {
    const { activity, runner, state } = setUp();
    await runner.runAsync(asyncJob("a", () => new Promise<void>((resolve) => setTimeout(resolve, 5))));
    const found = activity.find("a");
    if (found !== undefined) found.objectives = { finishWithinMs: 1 };
    expect(state().state).toBe("slow");
  });
});
