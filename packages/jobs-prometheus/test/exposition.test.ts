import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Counter, Histogram, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { type PrometheusJobObserverOptions, prometheusJobObserver } from "../src/index.ts";

/** An observer that has seen runs of all kinds, of jobs with names that have to be escaped. */
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
  const facts = { engine: "test", queue: "q", correlationId: undefined, carrier: {} };
  runner.enqueued({ ...facts, jobName: "mail", count: 1 });
  return observer;
}

describe("PrometheusJobObserver.metrics", () => {
  it("is to the letter what the registry writes", async () => {
    const observer = busyObserver();
    expect(await observer.metrics()).toBe(await observer.registry.metrics());
  });

  it("has the registry's default labels and the metrics of others", async () => {
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

  it("leaves it to the registry whose label it is, where default labels have names of ours", async () => {
    for (const label of ["status", "tenant", "le", "job_name"]) {
      const observer = busyObserver();
      observer.registry.setDefaultLabels({ app: "users-api", [label]: "default" });
      expect(await observer.metrics()).toBe(await observer.registry.metrics());
    }
  });

  it("leaves an OpenMetrics registry to write itself", async () => {
    const observer = busyObserver({ exemplars: ({ runId }) => ({ run_id: runId }) });
    expect(await observer.metrics()).toBe(await observer.registry.metrics());
    expect(await observer.metrics()).toContain("# EOF");
  });

  it("rejects with what another metric fails with", async () => {
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

  it("lets other work have its turn while it writes thousands of series", async () => {
    const observer = prometheusJobObserver({ maxSeries: 5_000 });
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
  });
});
