import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { AggregatorRegistry, Registry, type RegistryContentType } from "prom-client";
import { describe, expect, it } from "vitest";
import { type PrometheusJobObserver, prometheusJobObserver } from "../../src/index.ts";
import { type Line, parse } from "../support/exposition.ts";

const scrapes: [way: string, scrape: (observer: PrometheusJobObserver) => Promise<string>][] = [
  ["observer.metrics()", (observer) => observer.metrics()],
  ["registry.metrics()", ({ registry }) => registry.metrics()],
  ["a merged registry", ({ registry }) => Registry.merge([registry, new Registry()]).metrics()],
  ["getMetricsAsJSON()", async ({ registry }) => textOf(await registry.getMetricsAsJSON())],
];

/** Writes what a worker has sent, like the primary of a cluster. */
async function textOf(metrics: unknown): Promise<string> {
  const received = JSON.parse(JSON.stringify(metrics)) as object;
  return AggregatorRegistry.aggregate([received] as never).metrics();
}

/** Returns values by metric and job name, summed over all statuses. */
function sumsOf(lines: readonly Line[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { name, labels, value } of lines) {
    const key = `${name} ${labels.job_name}`;
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}

/** Expects the sums that hold in every scrape. */
function expectOneMoment(text: string, jobNames: readonly string[]): void {
  const sums = sumsOf(parse(text));
  const torn = jobNames.filter((jobName) => {
    const finished = sums.get(`nidus_jobs_finished_total ${jobName}`) ?? Number.NaN;
    const inProgress = sums.get(`nidus_jobs_in_progress ${jobName}`) ?? Number.NaN;
    return (
      sums.get(`nidus_jobs_started_total ${jobName}`) !== finished + inProgress ||
      sums.get(`nidus_job_duration_seconds_count ${jobName}`) !== finished
    );
  });
  expect(torn).toEqual([]);
}

describe.each(scrapes)("%s", { timeout: 60_000 }, (_way, scrape) => {
  it("shows one moment, while jobs run between and during its slices", async () => {
    const observer = prometheusJobObserver({ maxSeries: 300 });
    const runner = new ObservedJobRunner(observer);
    const names = Array.from({ length: 300 }, (_, index) => `job ${index}`);
    for (const name of names) runner.run(job(name, () => {}));
    let isOver = false;
    const load = (async () => {
      for (let i = 0; !isOver; i++) {
        const jobs = [names[0], names[i % names.length], names.at(-1)];
        void Promise.all(jobs.map((name) => runner.runAsync(asyncJob(name as string, async () => {}))));
        for (const name of jobs) runner.run(job(name as string, () => {}));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    try {
      for (let i = 0; i < 3; i++) expectOneMoment(await scrape(observer), names);
    } finally {
      isOver = true;
      await load;
    }
  });

  it("shows one moment, even if an engine is slow to report its backlog", async () => {
    const observer = prometheusJobObserver();
    const runner = new ObservedJobRunner(observer);
    runner.opened({
      engine: "test",
      backlog: async () => {
        // Runs continue while the engine answers.
        for (let i = 0; i < 20; i++) {
          runner.run(job("send", () => {}));
          await new Promise((resolve) => setImmediate(resolve));
        }
        return [{ jobName: "send", waiting: 1, oldestWaitingAt: undefined }];
      },
      observeBookkeeping: () => {},
    });
    expectOneMoment(await scrape(observer), ["send"]);
  });
});

it("two sets of metrics in one registry each show one moment", async () => {
  const registry = new Registry<RegistryContentType>();
  const observers = ["a_", "b_"].map((prefix) => prometheusJobObserver({ registry, prefix }));
  const runner = new ObservedJobRunner(observers);
  for (let i = 0; i < 5; i++) runner.run(job("send", () => {}));

  const text = await observers[0]?.metrics();

  expect(text).toBe(await registry.metrics());
  for (const prefix of ["a", "b"]) expect(text).toContain(`${prefix}_jobs_started_total{job_name="send"} 5`);
});

it("concurrent and successive scrapes each show the counts so far", async () => {
  const observer = prometheusJobObserver();
  const runner = new ObservedJobRunner(observer);
  for (let round = 1; round <= 3; round++) {
    runner.run(job("send", () => {}));
    const texts = await Promise.all([observer.metrics(), observer.registry.metrics(), observer.metrics()]);
    for (const text of texts) expect(text).toContain(`nidus_jobs_started_total{job_name="send"} ${round}`);
  }
});
