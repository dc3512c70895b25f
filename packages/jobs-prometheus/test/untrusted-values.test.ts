import { asyncJob, job } from "@nidus/jobs-core";
import {
  type JobBacklog,
  type JobDelivery,
  type ObservedJobContext,
  ObservedJobRunner,
} from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { prometheusJobObserver } from "../src/index.ts";
import { parse, sampleOf } from "./support/exposition.ts";
import { heapBytes } from "./support/heap.ts";

describe("labels of any length", () => {
  it("are cut at 256 characters: job names, attributes and the backlog's names alike", async () => {
    const observer = prometheusJobObserver({ attributeLabels: ["tenant"] });
    const runner = new ObservedJobRunner(observer);
    const long = '\n"\\é💡'.repeat(100_000);
    runner.context("tenant", long).run(job(long, () => {}));
    runner.opened({
      engine: "test",
      backlog: async () => [{ jobName: `backlog ${long}`, waiting: 1, oldestWaitingAt: undefined }],
      observeBookkeeping: () => {},
    });

    const text = await observer.metrics();

    expect(text).toBe(await observer.registry.metrics());
    for (const { labels } of parse(text)) {
      for (const value of Object.values(labels)) expect(value.length).toBeLessThanOrEqual(256);
    }
    expect(sampleOf(parse(text), "nidus_jobs_started_total", { job_name: `${long.slice(0, 255)}…` })).toBe(1);
  });

  it("take no further memory, however large names, attributes and headers are", async () => {
    const observer = prometheusJobObserver({ attributeLabels: ["tenant"], maxSeries: 200 });
    const runner = new ObservedJobRunner(observer);
    const before = heapBytes();
    for (let i = 0; i < 150; i++) {
      const large = `${i}`.padEnd(1_000_000, "x");
      runner.context({ tenant: large, unlabelled: `${large}y` }).run(job("send", () => {}));
      const delivery = { ...deliveryAt(new Date()), carrier: { baggage: `${large}z` } };
      await runner.context("tenant", `t${i}`).runAsync(
        asyncJob("mail", async () => {}),
        { delivery },
      );
    }
    // One of these texts per series would take 200 MB.
    expect(heapBytes() - before).toBeLessThan(20e6);
    expect(observer.registry).toBeDefined();
  });
});

function deliveryAt(runAt: unknown): JobDelivery {
  const common = {
    engine: "test",
    queue: "q",
    jobId: "1",
    attempt: 1,
    maxAttempts: 2,
    correlationId: undefined,
  };
  return { ...common, carrier: {}, enqueuedAt: new Date(), runAt: runAt as Date };
}

const noMoments: [string, unknown][] = [
  ["an invalid date", new Date(Number.NaN)],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["a text", "yesterday"],
  ["null", null],
  ["an object", { getTime: () => Number.NaN }],
  ["1e300", new Date(1e300)],
];

describe("invalid times", () => {
  it.each(noMoments)("such as %s record no wait, and the run is counted", async (_case, runAt) => {
    const errors: unknown[] = [];
    const observer = prometheusJobObserver();
    const runner = new ObservedJobRunner(observer, { onObserverError: (error) => errors.push(error) });
    await runner.runAsync(
      asyncJob("mail", async () => {}),
      { delivery: deliveryAt(runAt) },
    );
    await runner.runAsync(
      asyncJob("mail", async () => {}),
      { delivery: deliveryAt(new Date()) },
    );

    const lines = parse(await observer.metrics());
    expect(sampleOf(lines, "nidus_jobs_finished_total", { status: "success" })).toBe(2);
    expect(sampleOf(lines, "nidus_job_wait_seconds_count")).toBe(1);
    for (const { value } of lines) expect(value).not.toBeNaN();
    expect(errors).toEqual([]);
  });

  it.each(noMoments)(
    "such as %s in a backlog leave its count without an age",
    async (_case, oldestWaitingAt) => {
      const lines = await scrapeOf([
        { jobName: "mail", waiting: 3, oldestWaitingAt: oldestWaitingAt as Date },
      ]);
      expect(sampleOf(lines, "nidus_jobs_waiting", { job_name: "mail" })).toBe(3);
      expect(
        sampleOf(lines, "nidus_job_oldest_waiting_timestamp_seconds", { job_name: "mail" }),
      ).toBeUndefined();
    },
  );

  it("and invalid counts are left out, and the rest of the backlog is shown", async () => {
    const oldestWaitingAt = new Date(1_700_000_000_000);
    const lines = await scrapeOf([
      { jobName: "nan", waiting: Number.NaN, oldestWaitingAt },
      { jobName: "negative", waiting: -1, oldestWaitingAt },
      { jobName: "text", waiting: "7" as never, oldestWaitingAt },
      { jobName: undefined as never, waiting: 1, oldestWaitingAt },
      { jobName: "mail", waiting: 2, oldestWaitingAt },
    ]);
    const waiting = lines.filter(({ name }) => name === "nidus_jobs_waiting");
    expect(waiting.map(({ labels, value }) => [labels.job_name, value])).toEqual([["mail", 2]]);
    expect(sampleOf(lines, "nidus_job_oldest_waiting_timestamp_seconds")).toBe(1_700_000_000);
  });

  it.each([[undefined], ["no list"], [7], [[null]]])("a backlog of %j fails no scrape", async (answer) => {
    expect(await scrapeOf(answer as never)).toEqual([]);
  });

  /** Returns the backlog as a scrape shows it. */
  async function scrapeOf(backlog: readonly JobBacklog[]) {
    const observer = prometheusJobObserver();
    new ObservedJobRunner(observer).opened({
      engine: "test",
      backlog: async () => backlog,
      observeBookkeeping: () => {},
    });
    const text = await observer.metrics();
    expect(text).not.toMatch(/NaN|Inf\b(?!")/i);
    return parse(text).filter(({ name }) => name !== "nidus_engine_up");
  }
});

it.each([Number.NaN, -5, Number.POSITIVE_INFINITY, undefined])(
  "a duration of %s counts as 0, and spoils no sum",
  async (durationMs) => {
    const observer = prometheusJobObserver();
    const context: ObservedJobContext = {
      runId: "1",
      jobName: "send",
      attributes: {},
      startedAtMs: Number.NaN,
      durationMs,
      delivery: undefined,
      toJSON: () => context,
    };
    observer.onJobStarted?.(context);
    observer.onJobFinished?.(context, "success");
    observer.onJobEnqueued?.({
      jobName: "send",
      engine: "test",
      queue: "q",
      count: durationMs as number,
      correlationId: undefined,
      carrier: {},
    });

    const lines = parse(await observer.metrics());
    expect(sampleOf(lines, "nidus_job_duration_seconds_count")).toBe(1);
    expect(sampleOf(lines, "nidus_job_duration_seconds_sum")).toBe(0);
    expect(sampleOf(lines, "nidus_jobs_enqueued_total")).toBe(0);
    expect(sampleOf(lines, "nidus_job_last_success_timestamp_seconds")).toBeUndefined();
  },
);
