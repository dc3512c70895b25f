import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { AggregatorRegistry, Counter, Registry, type RegistryContentType } from "prom-client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { prometheusJobObserver } from "../src/index.ts";
import { parse, sampleOf } from "./support/exposition.ts";

const noop = job("send", () => {});

describe("a registry", () => {
  it("is shared by observers that get the same one", async () => {
    const registry = new Registry();
    const observers = [prometheusJobObserver({ registry }), prometheusJobObserver({ registry })];
    for (const observer of observers) {
      expect(observer.registry).toBe(registry);
      new ObservedJobRunner(observer).run(noop);
    }
    expect(sampleOf(parse(await registry.metrics()), "nidus_jobs_started_total")).toBe(2);
  });

  it("keeps observers with other prefixes apart", async () => {
    const registry = new Registry();
    new ObservedJobRunner(prometheusJobObserver({ registry })).run(noop);
    new ObservedJobRunner(prometheusJobObserver({ registry, prefix: "acme_" })).run(noop);
    const lines = parse(await registry.metrics());
    expect(sampleOf(lines, "nidus_jobs_started_total")).toBe(1);
    expect(sampleOf(lines, "acme_jobs_started_total")).toBe(1);
  });

  it("refuses observers that would share metrics of another shape", () => {
    const registry = new Registry();
    prometheusJobObserver({ registry });
    for (const options of [{ buckets: [1] }, { attributeLabels: ["tenant"] }]) {
      expect(() => prometheusJobObserver({ registry, ...options })).toThrow("needs the same");
    }
  });

  it("has the limit of the first observer", () => {
    const registry = new Registry();
    prometheusJobObserver({ registry });
    expect(() => prometheusJobObserver({ registry, maxSeries: 5 })).not.toThrow();
  });

  it.each(["nidus_jobs_started_total", "nidus_jobs_in_progress"])(
    "refuses every observer if another metric has the name %s",
    (name) => {
      const registry = new Registry();
      new Counter({ name, help: "x", registers: [registry] });
      for (let i = 0; i < 2; i++) {
        expect(() => prometheusJobObserver({ registry })).toThrow(`another metric named "${name}"`);
      }
      expect(registry.getMetricsAsArray()).toHaveLength(1);
    },
  );

  it("adds its default labels, and may hold other metrics", async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ app: "users-api" });
    new Counter({ name: "other_total", help: "x", registers: [registry] }).inc();
    new ObservedJobRunner(prometheusJobObserver({ registry })).run(noop);
    const lines = parse(await registry.metrics());
    expect(lines.every(({ labels }) => labels.app === "users-api")).toBe(true);
    expect(sampleOf(lines, "other_total")).toBe(1);
    expect(sampleOf(lines, "nidus_job_duration_seconds_count", { job_name: "send" })).toBe(1);
    expect(await registry.getSingleMetricAsString("nidus_jobs_started_total")).toContain('job_name="send"');
  });

  it("resets the counts, but not the runs in progress", async () => {
    const observer = prometheusJobObserver();
    const runner = new ObservedJobRunner(observer);
    let end = (): void => {};
    const running = runner.runAsync(asyncJob("send", () => new Promise<void>((resolve) => (end = resolve))));
    runner.run(noop);
    observer.registry.resetMetrics();
    const lines = parse(await observer.registry.metrics());
    expect(sampleOf(lines, "nidus_jobs_started_total")).toBe(0);
    expect(sampleOf(lines, "nidus_jobs_finished_total", { status: "success" })).toBe(0);
    expect(sampleOf(lines, "nidus_jobs_in_progress")).toBe(1);
    end();
    await running;
    const later = parse(await observer.registry.metrics());
    expect(sampleOf(later, "nidus_jobs_in_progress")).toBe(0);
    // No more runs have finished than started.
    expect(sampleOf(later, "nidus_jobs_finished_total", { status: "success" })).toBe(1);
    expect(sampleOf(later, "nidus_jobs_started_total")).toBe(1);
    runner.run(noop);
    expect(sampleOf(parse(await observer.metrics()), "nidus_jobs_started_total")).toBe(2);
  });

  it("that was cleared belongs to the observers that are made later", async () => {
    const registry = new Registry();
    const onObserverError = vi.fn();
    const make = () => new ObservedJobRunner(prometheusJobObserver({ registry }), { onObserverError });
    const before = make();
    registry.clear();
    const after = make();
    const enqueued = { jobName: "send", engine: "memory", queue: "mail", correlationId: undefined };
    for (const runner of [before, after]) runner.enqueued({ ...enqueued, count: 3, carrier: {} });
    expect(sampleOf(parse(await registry.metrics()), "nidus_jobs_enqueued_total")).toBe(3);
    registry.clear();
    before.declare({ name: "send", objectives: { finishWithinMs: 1 } });
    expect(registry.getMetricsAsArray()).toEqual([]);
    expect(onObserverError).not.toHaveBeenCalled();
  });

  it("of the OpenMetrics type is written as OpenMetrics, scrape after scrape", async () => {
    const registry = new Registry<RegistryContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    new ObservedJobRunner(prometheusJobObserver({ registry })).run(noop);
    const [first, second] = [await registry.metrics(), await registry.metrics()];
    expect(second).toBe(first);
    expect(first).toContain("# TYPE nidus_jobs_started counter\nnidus_jobs_started_total{");
    expect(first.endsWith("# EOF\n")).toBe(true);
    expect(sampleOf(parse(first), "nidus_jobs_started_total")).toBe(1);
  });
});

afterEach(() => void vi.useRealTimers());

describe("prom-client's cluster aggregation", () => {
  it("sums counts, and takes the latest or earliest time", async () => {
    vi.useFakeTimers();
    const workers: object[][] = [];
    for (const index of [0, 1]) {
      const observer = prometheusJobObserver();
      const runner = new ObservedJobRunner(observer);
      for (let i = 0; i <= index; i++) runner.run(job('se,"nd', () => {}));
      void runner.runAsync(asyncJob("stuck", () => new Promise<void>(() => {})));
      vi.advanceTimersByTime(5_000);
      // In the form that arrives from another process.
      workers.push(JSON.parse(JSON.stringify(await observer.registry.getMetricsAsJSON())));
    }
    const text = await AggregatorRegistry.aggregate(workers as never).metrics();
    const lines = parse(text);
    expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: 'se,"nd' })).toBe(3);
    expect(sampleOf(lines, "nidus_job_duration_seconds_count", { job_name: 'se,"nd' })).toBe(3);
    expect(sampleOf(lines, "nidus_job_duration_seconds_bucket", { job_name: 'se,"nd', le: "+Inf" })).toBe(3);
    expect(sampleOf(lines, "nidus_jobs_in_progress", { job_name: "stuck" })).toBe(2);

    const times = (name: string): number[] =>
      workers.map((metrics) => {
        const found = metrics.find((metric) => (metric as { name: string }).name === name);
        return (found as { values: { value: number }[] }).values[0]?.value ?? 0;
      });
    const latest = "nidus_job_last_success_timestamp_seconds";
    const oldest = "nidus_job_oldest_running_start_timestamp_seconds";
    const [[first = 0, second = 0], [older, younger]] = [times(latest), times(oldest)];
    expect(second).toBeCloseTo(first + 5, 1);
    expect(younger).toBeCloseTo((older ?? 0) + 5, 1);
    expect(sampleOf(lines, latest)).toBe(second);
    expect(sampleOf(lines, oldest)).toBe(older);
  });

  const openMetrics = Registry.OPENMETRICS_CONTENT_TYPE;
  const ordinary = Registry.PROMETHEUS_CONTENT_TYPE;

  // The README warns of the wrong ones. Once prom-client names them right, the warning can go.
  it.each<[type: RegistryContentType, isScraped: boolean, ofAggregate: RegistryContentType, suffix: string]>([
    [ordinary, false, ordinary, "_total"],
    [ordinary, true, ordinary, "_total"],
    [openMetrics, true, openMetrics, "_total"],
    [openMetrics, false, openMetrics, "_total_total"],
    [openMetrics, true, ordinary, ""],
  ])(
    "names our counters as its own: in registries of %s, scraped: %s, aggregated as %s, they end with %j",
    async (type, isScraped, ofAggregate, suffix) => {
      const registry = registryOf(type);
      new Counter({ name: "plain_total", help: "x", registers: [registry] }).inc();
      prometheusJobObserver({ registry, jobs: ["send"] });
      if (isScraped) await registry.metrics();
      const workers = [await registry.getMetricsAsJSON(), await registry.getMetricsAsJSON()];
      const aggregate: Registry<RegistryContentType> = AggregatorRegistry.aggregate(workers as never);
      aggregate.setContentType(ofAggregate);
      const text = await aggregate.metrics();
      expect(text.split("\n")).toContain(`plain${suffix} 2`);
      expect(text).toContain(`\nnidus_jobs_started${suffix}{job_name="send"} 0`);
    },
  );
});

function registryOf(type: RegistryContentType): Registry<RegistryContentType> {
  const registry = new Registry<RegistryContentType>();
  registry.setContentType(type);
  return registry;
}
