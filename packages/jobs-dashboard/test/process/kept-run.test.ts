import { job } from "@nidus/jobs-core";
import { type JobDelivery, ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, test } from "vitest";
import { keptRun } from "../../src/process/kept-run.ts";
import { ProcessActivity } from "../../src/process/process-activity.ts";

const text = "x".repeat(100_000);

function keptOf(run: (runner: ObservedJobRunner) => void) {
  const activity = new ProcessActivity();
  run(new ObservedJobRunner(activity.observer()));
  return { activity, kept: [...activity.jobs].flatMap(({ ring }) => ring.runs()) };
}

describe("a kept run", () => {
  test("has at most 1,000 characters of a value, and 2,000 of all attributes", () => {
    const { kept } = keptOf((runner) => {
      runner.context({ small: "a", body: text, flag: true }).run(job("a", () => {}));
      const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key-${index}`, index]));
      runner.context(many).run(job("b", () => {}));
      runner.context({ [text]: text, more: text, last: "z" }).run(job("c", () => {}));
    });
    const [first, second, third] = kept.map(({ context }) => context.attributes);
    expect(first).toEqual({ small: "a", body: `${"x".repeat(999)}…`, flag: true });
    expect(Object.keys(second ?? {}).length).toBeLessThan(300);
    expect(JSON.stringify(third).length).toBeLessThan(2_200);
    expect(Object.keys(third ?? {})[1]).toBe("more");
  });

  test("shares the attributes that its runner shares", () => {
    const { kept } = keptOf((runner) => {
      const shared = runner.context({ tenant: "t-1" });
      for (let index = 0; index < 3; index++) shared.run(job("a", () => {}));
    });
    expect(new Set(kept.map(({ context }) => context.attributes)).size).toBe(1);
  });

  test("does not hold its context, whose runner may hold much, once its events are applied", () => {
    const contexts = new Set<unknown>();
    const activity = new ProcessActivity();
    const runner = new ObservedJobRunner([
      activity.observer(),
      { onJobFinished: (context) => void contexts.add(context) },
    ]);
    for (let index = 0; index < 500; index++) runner.context({ index }).run(job("a", () => {}));
    const runs = activity.find("a")?.ring.runs() ?? [];
    expect(runs.map(({ context }) => context.attributes.index)).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 300),
    );
    expect(runs.filter(({ context }) => contexts.has(context))).toEqual([]);
  });

  test("has the ids of its delivery, and no headers", () => {
    const delivery: JobDelivery = {
      engine: "memory",
      queue: "jobs",
      jobId: "7",
      attempt: 1,
      maxAttempts: 3,
      enqueuedAt: new Date(0),
      runAt: new Date(0),
      correlationId: "c-1",
      carrier: { baggage: text },
      previousCarrier: { baggage: text },
    };
    const run = { runId: "r", jobName: "a", attributes: {}, startedAtMs: 0, durationMs: 1, delivery };
    const kept = keptRun(run);
    expect(kept.delivery).toMatchObject({ jobId: "7", correlationId: "c-1", carrier: {} });
    expect(JSON.stringify(kept).length).toBeLessThan(500);
    expect(keptRun(kept)).toBe(kept);
  });
});
