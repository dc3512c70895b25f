import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Registry } from "prom-client";
import { describe, expect, it, vi } from "vitest";
import { prometheusJobObserver } from "../src/index.ts";

describe("exemplars", () => {
  it("are on the bucket of the run, in an OpenMetrics registry that is made for them", async () => {
    const observer = prometheusJobObserver({ buckets: [60], exemplars: ({ runId }) => ({ run_id: runId }) });
    const runner = new ObservedJobRunner(observer).runIdGenerator(() => "run-1");
    runner.run(job("send", () => {}));
    expect(observer.registry.contentType).toBe(Registry.OPENMETRICS_CONTENT_TYPE);
    const text = await observer.registry.metrics();
    const lines = text.split("\n").filter((line) => line.includes(" # {"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^nidus_job_duration_seconds_bucket\{le="60",.*\} 1 # \{run_id="run-1"\} \d\S* \d{10}\.\d+$/,
    );
  });

  it.each([undefined, null])("may be absent for some runs: %s", async (labels) => {
    const observer = prometheusJobObserver({ exemplars: () => labels as undefined });
    const onObserverError = vi.fn();
    new ObservedJobRunner(observer, { onObserverError }).run(job("send", () => {}));
    expect(onObserverError).not.toHaveBeenCalled();
    expect(await observer.registry.metrics()).not.toContain(" # {");
  });

  it.each([
    ["longer than 128 characters", { trace_id: "x".repeat(121) }, "at most 128 characters, got 129"],
    ["with a name that is none", { "trace-id": "x" }, "labels to be names and strings"],
    ["with a value that is no string", { trace_id: 7 as never }, "labels to be names and strings"],
  ])("that are %s are refused, and the run is counted", async (_, labels, message) => {
    const errors: unknown[] = [];
    const observer = prometheusJobObserver({ exemplars: () => labels });
    new ObservedJobRunner(observer, { onObserverError: (error) => errors.push(error) }).run(
      job("send", () => {}),
    );
    expect(String(errors)).toContain(message);
    const text = await observer.registry.metrics();
    expect(text).toContain('nidus_jobs_finished_total{job_name="send",status="success"} 1');
    expect(text).not.toContain(" # {");
  });

  it("of exactly 128 characters are kept", async () => {
    const observer = prometheusJobObserver({ exemplars: () => ({ trace_id: "x".repeat(120) }) });
    new ObservedJobRunner(observer).run(job("send", () => {}));
    expect(await observer.registry.metrics()).toContain(`trace_id="${"x".repeat(120)}"`);
  });

  it("need an OpenMetrics registry", () => {
    expect(() => prometheusJobObserver({ registry: new Registry(), exemplars: () => undefined })).toThrow(
      TypeError,
    );
  });
});
