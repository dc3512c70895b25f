import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Counter, Histogram, Registry, type RegistryContentType } from "prom-client";
import { describe, expect, it } from "vitest";
import { type PrometheusJobObserverOptions, prometheusJobObserver } from "../../src/index.ts";

const byEngine = { engine: "test", queue: "q", correlationId: undefined, carrier: {} };

/** Makes an observer with runs of all kinds, and job names that need escapes. */
function busyObserver(options: PrometheusJobObserverOptions = {}) {
  const observer = prometheusJobObserver({ attributeLabels: ["tenant"], ...options });
  const runner = new ObservedJobRunner(observer);
  for (const name of ["send", 'a"b', "a\\b", "a\nb", "__proto__", "a}b", "é💡"]) {
    runner.context("tenant", name).run(job(name, () => {}));
    expect(() =>
      runner.run(
        job(name, () => {
          throw new Error("broke");
        }),
      ),
    ).toThrow();
  }
  void runner.runAsync(asyncJob("stuck", () => new Promise<void>(() => {})));
  runner.enqueued({ ...byEngine, jobName: "mail", count: 1 });
  return observer;
}

function registryOf(type: RegistryContentType): Registry<RegistryContentType> {
  const registry = new Registry<RegistryContentType>();
  registry.setContentType(type);
  return registry;
}

describe("PrometheusJobObserver.metrics", () => {
  it("equals the text of the registry", async () => {
    const observer = busyObserver();
    expect(await observer.metrics()).toBe(await observer.registry.metrics());
  });

  it("includes the registry's default labels and other metrics", async () => {
    const registry = new Registry();
    new Counter({ name: "before_total", help: "x", labelNames: ["a"], registers: [registry] }).inc({
      a: "b",
    });
    const observer = busyObserver({ registry });
    new Histogram({ name: "after_seconds", help: "x", registers: [registry] }).observe(1);
    registry.setDefaultLabels({ app: 'users"api', region: "a\nb" });
    expect(await observer.metrics()).toBe(await registry.metrics());
    expect(await observer.metrics()).toContain('before_total{a="b",app="users\\"api",region="a\\nb"} 1');
  });

  it("lets the registry decide if a default label has the name of a metric label", async () => {
    for (const label of ["status", "tenant", "le", "job_name"]) {
      const observer = busyObserver();
      observer.registry.setDefaultLabels({ app: "users-api", [label]: "default" });
      expect(await observer.metrics()).toBe(await observer.registry.metrics());
    }
  });

  it("equals the text of an OpenMetrics registry", async () => {
    const observer = busyObserver({ exemplars: ({ runId }) => ({ run_id: runId }) });
    expect(await observer.metrics()).toBe(await observer.registry.metrics());
    expect(await observer.metrics()).toContain("# EOF");
  });

  it("does so before the first scrape too, with other metrics in the registry", async () => {
    const registries = [0, 1].map(() => {
      const registry = registryOf(Registry.OPENMETRICS_CONTENT_TYPE);
      const common = { help: "x", registers: [registry] };
      new Counter({ ...common, name: "before_total", labelNames: ["a"] }).inc({ a: "b" });
      new Counter({ ...common, name: "without_suffix" }).inc();
      new Histogram({ ...common, name: "sizes", enableExemplars: true }).observe({
        labels: {},
        value: 1,
        exemplarLabels: { id: "é" },
      });
      prometheusJobObserver({ registry }).onJobEnqueued?.({ ...byEngine, jobName: "mail", count: 2 });
      registry.setDefaultLabels({ app: 'users"api' });
      return registry;
    });
    const [ours, theirs] = registries as [Registry<RegistryContentType>, Registry<RegistryContentType>];
    // The time of an exemplar is when it was observed.
    const withoutTimes = (text: string) => text.replace(/ \d{10}(\.\d+)?$/gm, "");
    const first = await prometheusJobObserver({ registry: ours }).metrics();
    expect(withoutTimes(first)).toBe(withoutTimes(await theirs.metrics()));
    expect(first).toBe(await ours.metrics());
    expect(first).toContain('nidus_jobs_enqueued_total{job_name="mail",app="users\\"api"} 2');
  });

  it("escapes the labels of exemplars, and accepts exemplars without labels", async () => {
    const labels = [{ id: 'a"b\\c\nd' }, {}];
    const observer = prometheusJobObserver({ exemplars: () => labels.pop() });
    const runner = new ObservedJobRunner(observer);
    for (const name of ["first", "second"]) runner.run(job(name, () => {}));
    const text = await observer.metrics();
    expect(text).toBe(await observer.registry.metrics());
    expect(text).toContain(' # {id="a\\"b\\\\c\\nd"} ');
    expect(text).toContain(" # {} ");
  });

  it("has no exemplars once the registry has the ordinary text format", async () => {
    const observer = busyObserver({ exemplars: ({ runId }) => ({ run_id: runId }) });
    observer.registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
    expect(await observer.metrics()).toBe(await observer.registry.metrics());
    expect(await observer.metrics()).not.toContain(" # {");
  });

  it("rejects with the error of another metric", async () => {
    const observer = busyObserver();
    new Counter({
      name: "broken_total",
      help: "x",
      registers: [observer.registry],
      collect: () => {
        throw new Error("no database");
      },
    });
    await expect(observer.metrics()).rejects.toThrow("no database");
  });

  it.each([
    ["Prometheus", Registry.PROMETHEUS_CONTENT_TYPE],
    ["OpenMetrics", Registry.OPENMETRICS_CONTENT_TYPE],
  ])("gives other work a turn while it writes thousands of series, in the format of %s", async (_, type) => {
    const registry = registryOf(type);
    const observer = prometheusJobObserver({ registry, maxSeries: 5_000 });
    const runner = new ObservedJobRunner(observer);
    for (let i = 0; i < 5_000; i++) runner.run(job(`job ${i}`, () => {}));
    let turns = 0;
    let isWriting = true;
    const count = (): void => {
      turns++;
      if (isWriting) setImmediate(count);
    };
    setImmediate(count);
    await observer.metrics();
    isWriting = false;
    expect(turns).toBeGreaterThan(6);
    expect(await observer.metrics()).toBe(await registry.metrics());
  });
});
