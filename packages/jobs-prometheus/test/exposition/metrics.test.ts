import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type PrometheusJobObserverOptions, prometheusJobObserver } from "../../src/index.ts";
import { type Line, parse, sampleOf } from "../support/exposition.ts";
import { hasTool, promtoolCheck } from "../support/tool.ts";

function observed(options?: PrometheusJobObserverOptions) {
  const observer = prometheusJobObserver(options);
  const errors: unknown[] = [];
  const runner = new ObservedJobRunner(observer, { onObserverError: (error) => void errors.push(error) });
  const scrape = async (): Promise<Line[]> => {
    expect(errors).toEqual([]);
    return parse(await observer.registry.metrics());
  };
  return { observer, runner, scrape };
}

const failing = (name: string) =>
  job(name, () => {
    throw new Error("broke");
  });

afterEach(() => void vi.useRealTimers());

describe("prometheusJobObserver", () => {
  it("counts starts and finishes by status, from 0 for a known job", async () => {
    const { runner, scrape } = observed();
    runner.run(job("send", () => {}));
    expect(() => runner.run(failing("send"))).toThrow();
    const aborting = new AbortController();
    aborting.abort();
    await runner
      .runAsync(
        asyncJob("send", async (signal) => signal.throwIfAborted()),
        { signal: aborting.signal },
      )
      .catch(() => {});
    runner.run(job("other", () => {}));

    const lines = await scrape();
    expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: "send" })).toBe(3);
    for (const status of ["success", "failure", "cancelled"]) {
      expect(sampleOf(lines, "nidus_jobs_finished_total", { job_name: "send", status })).toBe(1);
    }
    expect(sampleOf(lines, "nidus_jobs_finished_total", { job_name: "other", status: "failure" })).toBe(0);
  });

  it("has a histogram of seconds for statuses that occurred, and only for those", async () => {
    vi.useFakeTimers();
    const { runner, scrape } = observed({ buckets: [0.01, 0.1, 5] });
    runner.run(job("quick", () => {}));
    const slow = runner.runAsync(asyncJob("slow", () => new Promise((resolve) => setTimeout(resolve, 25))));
    await vi.advanceTimersByTimeAsync(25);
    await slow;
    const lines = await scrape();
    const bucket = (job_name: string, le: string) =>
      sampleOf(lines, "nidus_job_duration_seconds_bucket", { job_name, status: "success", le });
    expect(["0.01", "0.1", "5", "+Inf"].map((le) => bucket("quick", le))).toEqual([1, 1, 1, 1]);
    expect(["0.01", "0.1", "5", "+Inf"].map((le) => bucket("slow", le))).toEqual([0, 1, 1, 1]);
    const sum = sampleOf(lines, "nidus_job_duration_seconds_sum", { job_name: "slow" });
    expect(sum).toBeCloseTo(0.025);
    expect(lines.filter(({ labels }) => labels.status === "failure").map(({ name }) => name)).toEqual([
      "nidus_jobs_finished_total",
      "nidus_jobs_finished_total",
    ]);
  });

  it("shows the runs in progress and the start of the oldest, until they finish", async () => {
    vi.useFakeTimers();
    const { runner, scrape } = observed();
    const ends: (() => void)[] = [];
    const hold = asyncJob("hold", () => new Promise<void>((resolve) => ends.push(resolve)));
    // A time of day may be 10 ms off: see the clock of jobs-observe.
    const startedS = Date.now() / 1000;
    const first = runner.runAsync(hold);
    vi.advanceTimersByTime(300);
    const second = runner.runAsync(hold);
    const third = runner.runAsync(hold);
    const oldest = "nidus_job_oldest_running_start_timestamp_seconds";

    const during = await scrape();
    expect(sampleOf(during, "nidus_jobs_in_progress", { job_name: "hold" })).toBe(3);
    expect(sampleOf(during, oldest)).toBeCloseTo(startedS, 1);

    ends[0]?.();
    await first;
    const later = await scrape();
    expect(sampleOf(later, "nidus_jobs_in_progress")).toBe(2);
    expect(sampleOf(later, oldest)).toBeCloseTo(startedS + 0.3, 1);

    for (const end of ends) end();
    await Promise.all([second, third]);
    const after = await scrape();
    expect(sampleOf(after, "nidus_jobs_in_progress")).toBe(0);
    expect(sampleOf(after, oldest)).toBeUndefined();
  });

  it("keeps the time of the last success after a failure", async () => {
    vi.useFakeTimers();
    const { runner, scrape } = observed();
    expect(() => runner.run(failing("send"))).toThrow();
    const name = "nidus_job_last_success_timestamp_seconds";
    expect(sampleOf(await scrape(), name)).toBeUndefined();
    runner.run(job("send", () => {}));
    const succeededAt = sampleOf(await scrape(), name) ?? 0;
    expect(succeededAt).toBeCloseTo(Date.now() / 1000, 1);
    vi.advanceTimersByTime(5);
    expect(() => runner.run(failing("send"))).toThrow();
    expect(sampleOf(await scrape(), name)).toBe(succeededAt);
  });

  it("turns context attributes into labels with allowed names, but never run ids", async () => {
    const { runner, scrape } = observed({ attributeLabels: ["tenant.id", "2nd", "toString"] });
    runner.context({ "tenant.id": "a", "2nd": 7, other: "x" }).run(job("send", () => {}));
    runner.context({ "tenant.id": "b" }).run(job("send", () => {}));
    const lines = (await scrape()).filter(({ name }) => name === "nidus_jobs_started_total");
    expect(lines.map(({ labels }) => labels)).toEqual([
      { job_name: "send", tenant_id: "a", _2nd: "7", toString: "" },
      { job_name: "send", tenant_id: "b", _2nd: "", toString: "" },
    ]);
  });

  it("exposes any job name, and never confuses two", async () => {
    const names = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), {
      maxLength: 30,
    });
    const nasty = [
      'a"b',
      "a\\b",
      "a\nb",
      "a\\nb",
      "a,b",
      "a{b}",
      "__proto__",
      "constructor",
      " ",
      "le",
      "a\rb",
      "é",
      "💡",
    ];
    await fc.assert(
      fc.asyncProperty(names, async (generated) => {
        const all = [...new Set([...nasty, ...generated])];
        const { runner, scrape } = observed();
        all.forEach((name, index) => {
          for (let i = 0; i <= index; i++) runner.run(job(name, () => {}));
        });
        const lines = await scrape();
        for (const [index, name] of all.entries()) {
          expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: name })).toBe(index + 1);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("counts names that are invalid Unicode under the form in which they are written", async () => {
    const { runner, scrape } = observed();
    for (const name of ["\ud800", "\ud801", "\ufffd"]) runner.run(job(name, () => {}));
    expect(sampleOf(await scrape(), "nidus_jobs_started_total", { job_name: "\ufffd" })).toBe(3);
  });

  it.runIf(hasTool("promtool"))("passes promtool without a word", async () => {
    const { runner, observer } = observed({ attributeLabels: ["tenant"] });
    for (const name of ['a"b', "line\nbreak", "back\\slash", "__proto__", "ü"]) {
      runner.context("tenant", name).run(job(name, () => {}));
      expect(() => runner.run(failing(name))).toThrow();
    }
    const { engine, delivery } = engineFacts();
    runner.enqueued({ jobName: "mail", engine, queue: "q", count: 2, correlationId: undefined, carrier: {} });
    await runner.runAsync(
      asyncJob("mail", async () => {}),
      { delivery },
    );
    runner.settled({ jobName: "mail", delivery, outcome: "retried", error: undefined });
    expect(promtoolCheck(await observer.registry.metrics())).toBe("");
  });

  it("shows metrics of engines once there is an engine", async () => {
    vi.useFakeTimers();
    const { runner, scrape, observer } = observed();
    runner.run(job("plain", () => {}));
    expect(await observer.registry.metrics()).not.toContain("enqueued");

    const { engine, delivery } = engineFacts();
    runner.enqueued({ jobName: "mail", engine, queue: "q", count: 3, correlationId: undefined, carrier: {} });
    await runner.runAsync(
      asyncJob("mail", async () => {}),
      { delivery },
    );
    for (const outcome of [
      "retried",
      "retried",
      "dead-lettered",
      "lost",
      "stalled",
      "stalled",
      "stalled",
      // No metric counts it: its run is counted as cancelled.
      "snoozed",
      "succeeded",
    ] as const) {
      runner.settled({ jobName: "mail", delivery, outcome, error: undefined });
    }
    const lines = await scrape();
    expect(sampleOf(lines, "nidus_jobs_enqueued_total", { job_name: "mail" })).toBe(3);
    expect(sampleOf(lines, "nidus_job_retries_total", { job_name: "mail" })).toBe(2);
    expect(sampleOf(lines, "nidus_jobs_dead_lettered_total", { job_name: "mail" })).toBe(1);
    expect(sampleOf(lines, "nidus_job_stalled_total", { job_name: "mail" })).toBe(3);
    expect(sampleOf(lines, "nidus_job_wait_seconds_count", { job_name: "mail" })).toBe(1);
    const waited = sampleOf(lines, "nidus_job_wait_seconds_sum", { job_name: "mail" }) ?? 0;
    expect(waited).toBeCloseTo(2, 1);
  });
});

function engineFacts() {
  const engine = "test";
  const runAt = new Date(Date.now() - 2_000);
  const common = {
    engine,
    queue: "q",
    jobId: "1",
    attempt: 1,
    maxAttempts: 5,
    correlationId: undefined,
    carrier: {},
  };
  return { engine, delivery: { ...common, runAt, enqueuedAt: runAt } };
}
