import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import {
  type PrometheusJobObserver,
  type PrometheusJobObserverOptions,
  prometheusJobObserver,
} from "@nidus/jobs-prometheus";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Comparison } from "../comparison.ts";

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];

export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `job_${index}`);
}

/** Runs each name once, with success. */
export function observerOf(
  names: readonly string[],
  exemplars?: PrometheusJobObserverOptions["exemplars"],
): PrometheusJobObserver {
  const observer = prometheusJobObserver({ maxSeries: names.length, exemplars });
  const runner = new ObservedJobRunner(observer);
  for (const name of names) runner.run(job(name, () => {}));
  return observer;
}

/** Makes the same series, names and labels with prom-client's own metrics. */
export function promClientOf(names: readonly string[]): Registry {
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
