import { asyncJob, job } from "@nidus/jobs-core";
import type { JobObserver, ObservedJobContext, SettledJobContext } from "@nidus/jobs-observe";
import { metrics } from "@opentelemetry/api";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type OtelJobMetricsObserverOptions, otelJobMetricsObserver } from "../src/index.ts";
import { MeasuredMetrics } from "./support/collected-metrics.ts";
import { resetGlobalApi } from "./support/global-api.ts";
import { deliveryOf, strictRunner, thrownBy } from "./support/runner.ts";

afterEach(resetGlobalApi);

describe("runs", () => {
  test("are counted when they start and when they finish, by job name and status", async () => {
    const measured = new MeasuredMetrics();
    const runner = strictRunner(otelJobMetricsObserver({ meter: measured.meter }));
    const controller = new AbortController();
    controller.abort();

    runner.run(job("reindex", () => {}));
    runner.run(job("reindex", () => {}));
    await thrownBy(() => runner.runAsync(asyncJob("digest", () => Promise.reject(new Error("no")))));
    await thrownBy(() =>
      runner.runAsync(
        asyncJob("digest", (signal) => signal.throwIfAborted()),
        { signal: controller.signal },
      ),
    );

    expect(await measured.points("nidus.jobs.started")).toEqual([
      [{ "job.name": "reindex" }, 2],
      [{ "job.name": "digest" }, 2],
    ]);
    const finished = [
      [{ "job.name": "reindex", status: "success" }, 2],
      [{ "job.name": "digest", status: "failure" }, 1],
      [{ "job.name": "digest", status: "cancelled" }, 1],
    ];
    expect(await measured.points("nidus.jobs.finished")).toEqual(finished);
    expect(await measured.points("nidus.job.duration")).toEqual(finished);
  });

  test("are in progress until they finish", async () => {
    const measured = new MeasuredMetrics();
    const runner = strictRunner(otelJobMetricsObserver({ meter: measured.meter }));
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });

    const running = [1, 2, 3].map(() => runner.runAsync(asyncJob("digest", () => gate)));
    expect(await measured.points("nidus.jobs.in_progress")).toEqual([[{ "job.name": "digest" }, 3]]);

    open();
    await Promise.all(running);
    expect(await measured.points("nidus.jobs.in_progress")).toEqual([[{ "job.name": "digest" }, 0]]);
  });

  test("record their duration in seconds, in buckets that fit background jobs", async () => {
    const measured = new MeasuredMetrics();
    const observer = otelJobMetricsObserver({ meter: measured.meter });

    finish(observer, { durationMs: 42_000 });

    const duration = (await measured.collect()).get("nidus.job.duration");
    expect(duration?.descriptor.unit).toBe("s");
    const boundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];
    const counts = [...boundaries, Number.POSITIVE_INFINITY].map((bound) => (bound === 60 ? 1 : 0));
    expect(duration?.dataPoints[0]?.value).toMatchObject({ sum: 42, buckets: { boundaries, counts } });
  });

  test("record the Unix time of their last success only", async () => {
    const measured = new MeasuredMetrics();
    const observer = otelJobMetricsObserver({ meter: measured.meter });

    finish(observer, { startedAtMs: 1_700_000_000_000, durationMs: 500 });
    finish(observer, { startedAtMs: 1_700_000_009_000, durationMs: 500 }, "failure");

    expect(await measured.points("nidus.job.last_success.timestamp")).toEqual([
      [{ "job.name": "reindex" }, 1_700_000_000.5],
    ]);
  });

  test("never record a run id or a context attribute, and never make a run id", async () => {
    const measured = new MeasuredMetrics();
    let idsMade = 0;
    const runner = strictRunner(otelJobMetricsObserver({ meter: measured.meter }))
      .context("tenant", "acme")
      .runIdGenerator(() => `run-${++idsMade}`);

    runner.run(job("reindex", () => {}));

    expect(idsMade).toBe(0);
    const text = JSON.stringify([...(await measured.collect()).values()].map(({ dataPoints }) => dataPoints));
    expect(text).toContain("reindex");
    expect(text).not.toContain("acme");
  });
});

function finish(
  observer: JobObserver,
  given: Partial<ObservedJobContext>,
  status: "success" | "failure" = "success",
): void {
  const context: ObservedJobContext = {
    runId: "run-1",
    jobName: "reindex",
    attributes: {},
    startedAtMs: 1_700_000_000_000,
    durationMs: undefined,
    delivery: undefined,
    ...given,
    toJSON: () => context,
  };
  observer.onJobStarted?.(context);
  observer.onJobFinished?.(context, status);
}

describe("declared jobs", () => {
  test("have counters at 0 before their first run, and those of engines if an engine declares them", async () => {
    const measured = new MeasuredMetrics();
    const runner = strictRunner(otelJobMetricsObserver({ meter: measured.meter }));

    runner.declare({ name: "digest" });
    runner.declare({ name: "mail", engine: "memory", queue: "mail" });

    const zeros = ["digest", "mail"].map((name) => [{ "job.name": name }, 0]);
    expect(await measured.points("nidus.jobs.started")).toEqual(zeros);
    expect(await measured.points("nidus.jobs.finished")).toHaveLength(6);
    for (const name of ["jobs.enqueued", "job.retries", "jobs.dead_lettered", "job.stalled"]) {
      expect(await measured.points(`nidus.${name}`)).toEqual([[{ "job.name": "mail" }, 0]]);
    }
  });
});

describe("untrusted values", () => {
  test("are cut: a job name has at most 256 characters", async () => {
    const measured = new MeasuredMetrics();
    const observer = otelJobMetricsObserver({ meter: measured.meter });

    finish(observer, { jobName: "x".repeat(1_000_000) });

    const name = `${"x".repeat(255)}…`;
    expect(await measured.points("nidus.jobs.started")).toEqual([[{ "job.name": name }, 1]]);
  });

  test("make no NaN: an invalid duration counts as 0", async () => {
    const measured = new MeasuredMetrics();
    const observer = otelJobMetricsObserver({ meter: measured.meter });

    finish(observer, { durationMs: Number.NaN });
    finish(observer, { durationMs: -5 });

    const duration = (await measured.collect()).get("nidus.job.duration");
    expect(duration?.dataPoints[0]?.value).toMatchObject({ count: 2, sum: 0 });
  });
});

describe("engines", () => {
  test("count no enqueue of an engine that says no number", async () => {
    const measured = new MeasuredMetrics();
    const runner = strictRunner(otelJobMetricsObserver({ meter: measured.meter }));
    for (const count of [2, Number.NaN, -1, Infinity, undefined]) {
      runner.enqueued({
        jobName: "digest",
        engine: "memory",
        queue: "mail",
        count: count as number,
        correlationId: undefined,
        carrier: {},
      });
    }
    expect(await measured.points("nidus.jobs.enqueued")).toEqual([[{ "job.name": "digest" }, 2]]);
  });

  test("count enqueued, retried and dead-lettered jobs", async () => {
    const measured = new MeasuredMetrics();
    const runner = strictRunner(otelJobMetricsObserver({ meter: measured.meter }));
    const outcomes: SettledJobContext["outcome"][] = [
      "succeeded",
      "retried",
      "dead-lettered",
      "cancelled",
      "lost",
      "stalled",
      // No instrument counts it: its run is counted as cancelled.
      "snoozed",
    ];

    runner.enqueued({
      jobName: "digest",
      engine: "memory",
      queue: "mail",
      count: 3,
      correlationId: undefined,
      carrier: {},
    });
    for (const outcome of outcomes) {
      runner.settled({ jobName: "digest", delivery: deliveryOf(), outcome, error: undefined });
    }

    const digest = { "job.name": "digest" };
    expect(await measured.points("nidus.jobs.enqueued")).toEqual([[digest, 3]]);
    expect(await measured.points("nidus.job.retries")).toEqual([[digest, 1]]);
    expect(await measured.points("nidus.jobs.dead_lettered")).toEqual([[digest, 1]]);
    expect(await measured.points("nidus.job.stalled")).toEqual([[digest, 1]]);
  });

  test("record no wait for a delivery without a valid time", async () => {
    const measured = new MeasuredMetrics();
    const observer = otelJobMetricsObserver({ meter: measured.meter });

    for (const runAt of [new Date(Number.NaN), Number.NEGATIVE_INFINITY, "soon", undefined]) {
      finish(observer, { delivery: deliveryOf({ runAt: runAt as Date }) });
    }

    expect(await measured.points("nidus.jobs.finished")).toEqual([
      [{ "job.name": "reindex", status: "success" }, 4],
    ]);
    expect((await measured.collect()).has("nidus.job.wait")).toBe(false);
  });

  test("record how long a delivery waited, in seconds and never negative", async () => {
    const measured = new MeasuredMetrics();
    const observer = otelJobMetricsObserver({ meter: measured.meter });

    finish(observer, { delivery: deliveryOf({ runAt: new Date(1_700_000_000_000 - 2_500) }) });
    finish(observer, { delivery: deliveryOf({ runAt: new Date(1_700_000_000_000 + 60_000) }) });

    const wait = (await measured.collect()).get("nidus.job.wait");
    expect(wait?.descriptor.unit).toBe("s");
    expect(wait?.dataPoints[0]?.value).toMatchObject({ count: 2, sum: 2.5, min: 0 });
  });
});

describe("options", () => {
  test("without a meter, metrics go to the application's own set-up", async () => {
    const measured = new MeasuredMetrics();
    metrics.setGlobalMeterProvider(measured.provider);

    strictRunner(otelJobMetricsObserver()).run(job("reindex", () => {}));

    expect(await measured.points("nidus.jobs.started")).toEqual([[{ "job.name": "reindex" }, 1]]);
  });

  test.each<[string, unknown, RegExp]>([
    ["null", null, /`meter`.*got null/],
    ["what makes no instruments", {}, /`meter`.*OpenTelemetry meter, got /],
  ])("a meter that is %s is refused", (_case, meter, message) => {
    const make = (): unknown => otelJobMetricsObserver({ meter } as OtelJobMetricsObserverOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});

describe("objectives and engines", () => {
  test("are gauges: promises in seconds, and whether each engine answers", async () => {
    const measured = new MeasuredMetrics();
    const runner = strictRunner(otelJobMetricsObserver({ meter: measured.meter }));
    runner.declare(
      { name: "digest", objectives: { succeedEveryMs: 60_000, startWithinMs: 500, finishWithinMs: 1 } },
      { name: "mail" },
    );
    let isClosed = false;
    const backlog = async () => [];
    const observeBookkeeping = () => {};
    const healthOf = (engine: string, isReachable: boolean) =>
      vi.fn(async () => (isClosed ? undefined : { engine, isReachable, latencyMs: undefined, workers: [] }));
    const healths = [healthOf("orders", true), healthOf("mails", false)];
    for (const [index, engine] of ["orders", "mails"].entries()) {
      runner.opened({ engine, backlog, observeBookkeeping, health: healths[index] as never });
    }
    runner.opened({ engine: "bare", backlog, observeBookkeeping });
    runner.opened({
      engine: "broken",
      backlog,
      observeBookkeeping,
      health: () => Promise.reject(new Error("no")),
    });

    const digest = { "job.name": "digest" };
    expect(await measured.points("nidus.job.objective.success_interval")).toEqual([[digest, 60]]);
    expect(await measured.points("nidus.job.objective.wait")).toEqual([[digest, 0.5]]);
    expect(await measured.points("nidus.job.objective.duration")).toEqual([[digest, 0.001]]);
    const up = await measured.points("nidus.engine.up");
    expect(
      Object.fromEntries(
        up.map(([attributes, value]) => [(attributes as Record<string, string>)["job.engine"], value]),
      ),
    ).toEqual({
      orders: 1,
      mails: 0,
      broken: 0,
    });
    isClosed = true;
    await measured.collect();
    const asked = healths.map(({ mock }) => mock.calls.length);
    await measured.collect();
    expect(healths.map(({ mock }) => mock.calls.length)).toEqual(asked);
  });
});
