import { describe, expect, it } from "vitest";
import {
  type PrometheusJobObserverOptions,
  prometheusJobObserver,
  requirePrometheusJobObserverOptions,
} from "../src/index.ts";

describe("prometheusJobObserver", () => {
  it.each<[PrometheusJobObserverOptions, typeof TypeError | typeof RangeError, string]>([
    [{ registry: {} as never }, TypeError, "`registry` to be a prom-client Registry"],
    [{ prefix: "9x" }, TypeError, 'got "9x"'],
    [{ prefix: "a-b" }, TypeError, "`prefix`"],
    [{ prefix: "a:b_" }, TypeError, "`prefix` to be the start of a metric name: letters, digits and _"],
    [{ buckets: [] }, TypeError, "`buckets`"],
    [{ buckets: [2, 1] }, TypeError, "rising"],
    [{ buckets: [1, Number.POSITIVE_INFINITY] }, TypeError, "finite"],
    [{ buckets: ["1" as never] }, TypeError, "`buckets`"],
    [{ buckets: new Array(3) }, TypeError, "`buckets` to be finite numbers of seconds"],
    [{ jobs: new Array(2) }, TypeError, "`jobs` to be an array of job names"],
    [{ jobs: "send" as never }, TypeError, "`jobs` to be an array of job names"],
    [{ jobs: ["send", ""] }, TypeError, "`jobs`"],
    [{ maxserie: 1 } as never, TypeError, 'unknown option "maxserie"'],
    [{ maxSeries: 0 }, RangeError, "got 0"],
    [{ maxSeries: 1.5 }, RangeError, "got 1.5"],
    [{ attributeLabels: "tenant" as never }, TypeError, "`attributeLabels`"],
    [{ attributeLabels: [""] }, TypeError, "non-empty"],
    [{ attributeLabels: ["status"] }, TypeError, 'the label "status", which is taken or reserved'],
    [{ attributeLabels: ["engine"] }, TypeError, 'the label "engine", which is taken or reserved'],
    [{ attributeLabels: ["job"] }, TypeError, 'the label "job", which Prometheus sets itself at a scrape'],
    [{ attributeLabels: ["instance"] }, TypeError, 'the label "instance", which Prometheus sets itself'],
    [{ attributeLabels: new Array(1) }, TypeError, "each key in `attributeLabels`"],
    [{ attributeLabels: ["__name"] }, TypeError, "reserved"],
    [{ attributeLabels: ["a.b", "a_b"] }, TypeError, 'the label "a_b", which is taken'],
    [{ exemplars: "x" as never }, TypeError, "`exemplars` to be a function"],
  ])("refuses %o", (options, type, message) => {
    expect(() => prometheusJobObserver(options)).toThrow(type);
    expect(() => prometheusJobObserver(options)).toThrow(message);
  });

  it("accepts options that are undefined, and an empty prefix", async () => {
    prometheusJobObserver({
      registry: undefined,
      prefix: undefined,
      buckets: undefined,
      maxSeries: undefined,
      attributeLabels: undefined,
      exemplars: undefined,
    });
    expect(await prometheusJobObserver({ prefix: "" }).registry.metrics()).toContain(
      "# TYPE jobs_started_total counter",
    );
  });
});

describe("requirePrometheusJobObserverOptions", () => {
  it("returns a copy that later changes of the options do not reach", async () => {
    const options = { prefix: "app_", buckets: [1, 2], jobs: ["send"], attributeLabels: ["tenant.id"] };
    const copy = requirePrometheusJobObserverOptions(options);
    options.prefix = "other_";
    for (const list of [options.buckets, options.jobs, options.attributeLabels]) list.length = 0;

    expect(copy).toMatchObject({
      prefix: "app_",
      buckets: [1, 2],
      jobs: ["send"],
      attributeLabels: ["tenant.id"],
    });
    const { registry } = prometheusJobObserver(copy);
    expect(await registry.metrics()).toContain('app_jobs_started_total{job_name="send",tenant_id=""} 0');
    expect(prometheusJobObserver(copy).registry).not.toBe(registry);
  });
});
