import { setTimeout as pause } from "node:timers/promises";
import { asyncJob, JobError, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, test, vi } from "vitest";
import { keptFailures } from "../../src/process/failure-log.ts";
import { keptRuns, ProcessActivity } from "../../src/process/process-activity.ts";

function observed(): { readonly activity: ProcessActivity; readonly runner: ObservedJobRunner } {
  const activity = new ProcessActivity();
  return { activity, runner: new ObservedJobRunner(activity.observer()) };
}

function failing(name: string, message: string) {
  return job(name, () => {
    throw new Error(message);
  });
}

function attempt(run: () => unknown): void {
  try {
    run();
  } catch {
    // The test looks at the record of the failure.
  }
}

describe("ProcessActivity", () => {
  test("keeps the latest runs of each job", () => {
    const { activity, runner } = observed();
    for (let index = 0; index < keptRuns + 50; index++)
      runner.context("index", index).run(job("a", () => {}));
    runner.run(job("b", () => {}));
    const runs = activity.find("a")?.ring.runs() ?? [];
    expect(runs.map(({ context }) => context.attributes.index)).toEqual(
      Array.from({ length: keptRuns }, (_, index) => index + 50),
    );
    expect(activity.find("b")?.ring.runs()).toHaveLength(1);
  });

  test("keeps fewer runs of each job if there are many jobs", () => {
    const { activity, runner } = observed();
    for (let round = 0; round < 100; round++) {
      for (let name = 0; name < 400; name++) runner.context("round", round).run(job(`job-${name}`, () => {}));
    }
    const kept = [...activity.jobs].map(({ ring }) => ring.runs());
    expect(kept.reduce((sum, { length }) => sum + length, 0)).toBe(20_000);
    for (const runs of kept) {
      expect(runs.map(({ context }) => context.attributes.round)).toEqual(
        Array.from({ length: 50 }, (_, index) => index + 50),
      );
    }
  });

  test("lists runs that overlap, the oldest first", async () => {
    const { activity, runner } = observed();
    const ends: (() => void)[] = [];
    const start = (name: string) =>
      runner.runAsync(asyncJob(name, () => new Promise<void>((resolve) => ends.push(resolve))));
    const names = () => activity.running.entries().map(([{ jobName }]) => jobName);
    const first = start("a");
    const others = [start("b"), start("c")];
    expect(names()).toEqual(["a", "b", "c"]);
    ends[0]?.();
    await first;
    others.push(start("d"));
    expect(names()).toEqual(["b", "c", "d"]);
    expect(activity.running.size).toBe(3);
    for (const end of ends) end();
    await Promise.all(others);
    expect(activity.running.size).toBe(0);
  });

  test("counts the last minute and the last hour", () => {
    const { activity, runner } = observed();
    for (let index = 0; index < 30; index++) runner.run(job("a", () => {}));
    attempt(() => runner.run(failing("a", "no")));
    const { finished, failed } = activity.find("a")?.minutes() ?? { finished: [], failed: [] };
    expect(finished).toHaveLength(60);
    expect(finished.reduce((sum, each) => sum + each)).toBe(31);
    expect(failed.reduce((sum, each) => sum + each)).toBe(1);
    expect(activity.find("a")?.perMinute()).toBe(31);
  });

  test("knows what runs, and forgets it when it ends", async () => {
    const { activity, runner } = observed();
    const controller = new AbortController();
    const run = runner.runAsync(
      asyncJob("a", (signal) => pause(60_000, undefined, { signal })),
      { signal: controller.signal },
    );
    expect(activity.running.entries().map(([{ jobName }]) => jobName)).toEqual(["a"]);
    controller.abort();
    await expect(run).rejects.toThrow();
    expect(activity.running.size).toBe(0);
    expect(activity.find("a")?.ring.runs().at(-1)?.status).toBe("cancelled");
  });

  test("bounds names, failures and errors", async () => {
    const { activity, runner } = observed();
    for (let index = 0; index < 2_000; index++) {
      attempt(() =>
        runner.run(failing(`job-${index}`.padEnd(2_000, "x"), `failure ${index} ${"y".repeat(10_000)}`)),
      );
    }
    expect([...activity.jobs].length).toBeLessThanOrEqual(501);
    expect(activity.namesBeyondLimit).toBe(1_500);
    const records = await vi.waitFor(
      () => {
        const read = [...activity.failures.records()];
        expect(read.length + activity.failures.dropped).toBe(2_000);
        return read;
      },
      { timeout: 60_000 },
    );
    expect(records.length).toBeLessThanOrEqual(keptFailures);
    expect(activity.failures.dropped).toBeGreaterThan(0);
    for (const { error, activity: owner } of records) {
      expect(error.message.length).toBeLessThanOrEqual(2_000);
      expect(owner.name.length).toBeLessThanOrEqual(512);
    }
  });

  test("does not hold the thrown objects once their text is made", () => {
    const { activity, runner } = observed();
    attempt(() => runner.run(failing("a", "no")));
    const [record] = activity.failures.records();
    expect(
      Object.values(record ?? {}).some((value) => JobError.isInstance(value) || value instanceof Error),
    ).toBe(false);
  });

  test("keeps the trace of a run from the active span", () => {
    const key = Symbol.for("opentelemetry.js.api.1");
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const span = { spanContext: () => ({ traceId }) };
    const global = globalThis as Record<symbol, unknown>;
    const before = global[key];
    global[key] = { context: { active: () => ({ getValue: () => span }) } };
    try {
      const { activity, runner } = observed();
      runner.run(job("a", () => {}));
      const [run] = activity.find("a")?.ring.runs() ?? [];
      expect(run?.traceId).toBe(traceId);
      // A span holds its attributes, events and resource.
      expect(Object.values(run ?? {})).not.toContain(span);
    } finally {
      global[key] = before;
    }
  });

  test("survives 100,000 runs in a row with bounded lists", async () => {
    const { activity, runner } = observed();
    const names = Array.from({ length: 20 }, (_, index) => `job-${index}`);
    for (let index = 0; index < 100_000; index++) {
      const name = names[index % names.length] as string;
      if (index % 10 === 0) attempt(() => runner.run(failing(name, `failure ${index}`)));
      else runner.run(job(name, () => {}));
      if (index % 10_000 === 0) await pause(0);
    }
    const kept = [...activity.jobs].reduce((sum, each) => sum + each.ring.runs().length, 0);
    expect(kept).toBe(names.length * keptRuns);
    expect(activity.running.size).toBe(0);
    const records = [...activity.failures.records()];
    expect(records.length).toBeLessThanOrEqual(keptFailures);
    const counted = [...activity.jobs].reduce((sum, each) => sum + each.started, 0);
    expect(counted).toBe(100_000);
  });
});
