import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Counter, Registry } from "prom-client";
import { expect, it, vi } from "vitest";

/** Loads the package as a bundle does: with another copy of each of its modules. */
async function copyOfPackage(): Promise<typeof import("../src/index.ts")> {
  vi.resetModules();
  return import("../src/index.ts");
}

it("two copies of the package share counts in one registry, and each writes all of them", async () => {
  const [one, other] = [await copyOfPackage(), await copyOfPackage()];
  expect(one.prometheusJobObserver).not.toBe(other.prometheusJobObserver);
  const registry = new Registry();
  const observers = [one, other].map(({ prometheusJobObserver }) => prometheusJobObserver({ registry }));
  for (const observer of observers) {
    const runner = new ObservedJobRunner(observer);
    runner.run(job("send", () => {}));
    runner.declare({ name: "mail", engine: "bullmq" });
  }

  const texts = [await registry.metrics(), ...(await Promise.all(observers.map((each) => each.metrics())))];

  for (const text of texts) {
    expect(text).toBe(texts[0]);
    expect(text).toContain('nidus_jobs_started_total{job_name="send"} 2');
    expect(text).toContain('nidus_job_duration_seconds_count{job_name="send",status="success"} 2');
    expect(text).toContain('nidus_jobs_enqueued_total{job_name="mail"} 0');
  }
});

it("two copies refuse to share metrics of another shape, like one copy", async () => {
  const registry = new Registry();
  (await copyOfPackage()).prometheusJobObserver({ registry });
  const { prometheusJobObserver } = await copyOfPackage();
  expect(() => prometheusJobObserver({ registry, buckets: [1] })).toThrow("needs the same");
});

it("metrics of a version that counts differently are left alone, and a warning says so", async () => {
  const registry = new Registry();
  const theirs = new Counter({ name: "nidus_jobs_started_total", help: "x", registers: [registry] });
  Object.defineProperty(theirs, Symbol.for("@nidus/jobs-prometheus.metric.0"), { value: true });
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const { prometheusJobObserver } = await copyOfPackage();

  const observer = prometheusJobObserver({ registry });
  new ObservedJobRunner(observer).run(job("send", () => {}));

  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/another version.*`prefix`/), "NidusWarning");
  expect(await observer.metrics()).toBe(await registry.metrics());
  expect(registry.getMetricsAsArray()).toEqual([theirs]);
  warn.mockRestore();
});
