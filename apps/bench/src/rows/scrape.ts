import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type PrometheusJobObserver, prometheusJobObserver } from "@nidus/jobs-prometheus";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Comparison, Reading } from "../comparison.ts";
import { spreadOf } from "../harness.ts";

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `job_${index}`);
}

/** Each name has run once, and succeeded. */
function observerOf(names: readonly string[]): PrometheusJobObserver {
  const observer = prometheusJobObserver({ maxSeries: names.length });
  const runner = new ObservedJobRunner(observer);
  for (const name of names) runner.run(job(name, () => {}));
  return observer;
}

/** The same series, names and labels, in prom-client's own metrics. */
function promClientOf(names: readonly string[]): Registry {
  const registry = new Registry();
  const common = { help: "x", registers: [registry] };
  const perJob = { ...common, labelNames: ["job_name"] };
  const perStatus = { ...common, labelNames: ["job_name", "status"] };
  const started = new Counter({ ...perJob, name: "nidus_jobs_started_total" });
  const finished = new Counter({ ...perStatus, name: "nidus_jobs_finished_total" });
  const durations = new Histogram({ ...perStatus, name: "nidus_job_duration_seconds", buckets });
  const inProgress = new Gauge({ ...perJob, name: "nidus_jobs_in_progress" });
  const lastSuccess = new Gauge({ ...perJob, name: "nidus_job_last_success_timestamp_seconds" });
  for (const job_name of names) {
    started.inc({ job_name });
    for (const status of ["success", "failure", "cancelled"]) {
      finished.inc({ job_name, status }, status === "success" ? 1 : 0);
    }
    durations.observe({ job_name, status: "success" }, 0.000123);
    inProgress.set({ job_name }, 0);
    lastSuccess.set({ job_name }, Date.now() / 1000);
  }
  return registry;
}

export const scrapeComparisons: readonly Comparison[] = [10, 1_000, 2_000, 10_000].map((count) => {
  let observer: PrometheusJobObserver;
  let registry: Registry;
  return {
    id: `scrape-${count}`,
    title: `scrape of ${count.toLocaleString("en")} job names against prom-client's own metrics`,
    operations: 1,
    prepare: () => {
      observer = observerOf(namesOf(count));
      registry = promClientOf(namesOf(count));
    },
    ours: { label: "observer.metrics()", run: () => observer.metrics() },
    peer: { label: "registry.metrics()", run: () => registry.metrics() },
    asked: count === 2_000 ? { atMost: 1 } : undefined,
  };
});

/** The longest stretch for which the event loop had no other turn, in milliseconds: the median of several scrapes. */
async function longestStretchMs(scrape: () => Promise<string>): Promise<number> {
  const stretches: number[] = [];
  for (let round = 0; round < 7; round++) {
    globalThis.gc?.();
    let longestMs = 0;
    let lastMs = performance.now();
    let isOver = false;
    const tick = (): void => {
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      if (!isOver) setImmediate(tick);
    };
    setImmediate(tick);
    await scrape();
    await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    // The first scrape escapes the labels and compiles the code.
    if (round > 0) stretches.push(longestMs);
  }
  return spreadOf(stretches).median;
}

export async function scrapeReadings(): Promise<Reading[]> {
  const names = namesOf(10_000);
  const observer = observerOf(names);
  const registry = promClientOf(names);
  const title = "longest stretch of the event loop during a scrape of 10,000 job names";
  return [
    {
      id: "stall-10000",
      title: `${title}, observer.metrics()`,
      unit: "ms",
      value: await longestStretchMs(() => observer.metrics()),
      asked: { atMost: 50 },
    },
    {
      id: "stall-10000-registry",
      title: `${title}, observer.registry.metrics()`,
      unit: "ms",
      value: await longestStretchMs(() => observer.registry.metrics()),
      asked: undefined,
      note: "prom-client's registry writes a metric in one go",
    },
    {
      id: "stall-10000-prom-client",
      title: `${title}, prom-client's own metrics`,
      unit: "ms",
      value: await longestStretchMs(() => registry.metrics()),
      asked: undefined,
    },
  ];
}
