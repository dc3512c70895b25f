import { JobError } from "@nidus/jobs-core";
import { beforeEach, describe, expect, it } from "vitest";
import type { LeasedJob } from "../../src/backend.ts";
import { deadLettered, released, retried, succeeded } from "../../src/execution/execution-end.ts";
import { AbortControllerPool } from "../../src/execution/handler-signal.ts";
import { JobExecution } from "../../src/execution/job-execution.ts";
import { fetched } from "../support/scripted-backend.ts";

const pool = new AbortControllerPool();
const error = new JobError("no");

function executionOf(id: string): JobExecution<LeasedJob> {
  return new JobExecution(fetched(id), "scripted", "queue", pool);
}

let execution: JobExecution<LeasedJob>;

beforeEach(() => {
  execution = executionOf("a");
});

describe("an execution", () => {
  it("waits, runs, ends, settles and is settled", () => {
    expect(execution.state).toEqual({ phase: "waiting", stop: undefined });
    execution.begin();
    expect(execution.state).toEqual({ phase: "running", stop: undefined });
    execution.conclude(succeeded);
    expect(execution.state).toEqual({ phase: "ended", end: succeeded, hasRun: true });
    expect(execution.beginSettling()).toBe(succeeded);
    expect(execution.isOver).toBe(false);
    expect(execution.settled(true)).toBe(true);
    expect(execution.state).toEqual({ phase: "settled", end: succeeded, hasRun: true, isRecorded: true });
    expect([execution.isOver, execution.isRecorded, execution.isUnrecordedSuccess]).toEqual([
      true,
      true,
      false,
    ]);
    expect(execution.settled(false), "the first answer counts").toBe(false);
    expect(execution.isRecorded).toBe(true);
  });

  it("has a failure cancelled until the engine is asked to record it", () => {
    execution.conclude(retried(error, 5));
    execution.cancel();
    expect(execution.end).toEqual({ outcome: { type: "cancelled" }, error });
    const late = executionOf("b");
    late.conclude(deadLettered(error));
    late.beginSettling();
    late.cancel();
    expect(late.end?.outcome.type).toBe("dead-lettered");
  });

  it("stays cancelled if its worker stops, and is cancelled if it was interrupted before", () => {
    execution.cancel();
    execution.interrupt();
    expect(execution.state).toEqual({ phase: "waiting", stop: "cancelled" });
    const other = executionOf("b");
    other.interrupt();
    other.cancel();
    expect(other.state).toEqual({ phase: "waiting", stop: "cancelled" });
  });

  it("is released if it is abandoned while its handler runs, whatever becomes of that", () => {
    execution.begin();
    expect(execution.abandon()).toBe(released);
    execution.conclude(succeeded);
    expect(execution.state).toEqual({ phase: "abandoned", end: released, hasRun: true });
  });

  it("keeps its own end if it is abandoned after its handler has ended", () => {
    execution.conclude(succeeded);
    expect(execution.abandon()).toBe(succeeded);
  });

  it("tells who waits for its end, before and after", async () => {
    const before = execution.ended();
    execution.conclude(succeeded);
    expect(await Promise.all([before, execution.ended()])).toEqual([succeeded, succeeded]);
  });
});
