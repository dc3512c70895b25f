import { asyncJob, job } from "@nidus/jobs-core";
import { SpanKind } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { otelJobObserver } from "../../src/index.ts";
import { otelPipeline } from "../../src/sdk/index.ts";
import { startCollector } from "../support/collector.ts";
import { clearOtelEnvironment } from "../support/environment.ts";
import { resetGlobalApi } from "../support/global-api.ts";
import { deliveryOf, strictRunner, thrownBy } from "../support/runner.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

const sampled = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

describe("a run's span at the collector", () => {
  test("arrives as OTLP protobuf over HTTP, with its ids, times, attributes and failure", async () => {
    await using collector = await startCollector();
    await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url });
    const runner = strictRunner(otelJobObserver({ tracer: pipeline.tracer }))
      .context({ tenant: "acme", retries: 3, ratio: 0.5, urgent: true })
      .runIdGenerator(() => "run-1");

    await thrownBy(() =>
      runner.runAsync(
        asyncJob("digest", async () => {
          await new Promise((resolve) => setImmediate(resolve));
          pipeline.tracer.startSpan("query").end();
          throw new TypeError("no address");
        }),
      ),
    );
    await pipeline.forceFlush();

    expect(collector.requests.map(({ method, headers }) => [method, headers["content-type"]])).toEqual([
      ["POST", "application/x-protobuf"],
    ]);
    const [query, run] = collector.spans;
    expect(run).toMatchObject({
      name: "job.run",
      kind: SpanKind.INTERNAL + 1,
      parentSpanId: "",
      attributes: {
        "job.name": "digest",
        "job.run_id": "run-1",
        "error.type": "TypeError",
        tenant: "acme",
        retries: 3,
        ratio: 0.5,
        urgent: true,
      },
      status: { code: 2, message: "no address" },
      scope: { name: "@nidus/jobs-otel" },
    });
    expect(run?.events).toMatchObject([
      { name: "exception", attributes: { "exception.type": "TypeError", "exception.message": "no address" } },
    ]);
    expect(run?.durationNanos).toBeGreaterThan(0n);
    expect(run?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(run?.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(query).toMatchObject({ name: "query", traceId: run?.traceId, parentSpanId: run?.spanId });
  });

  test("names the service, its version and its environment", async () => {
    await using collector = await startCollector();
    await using pipeline = otelPipeline({
      serviceName: "users-api",
      serviceVersion: "1.4.2",
      environment: "prod",
      endpoint: collector.url,
    });

    pipeline.tracer.startSpan("job.run").end();
    await pipeline.forceFlush();

    expect(collector.spans[0]?.resource).toMatchObject({
      "service.name": "users-api",
      "service.version": "1.4.2",
      "deployment.environment.name": "prod",
    });
  });

  test("has the resource attributes of the environment, and its own, which win", async () => {
    vi.stubEnv("OTEL_SERVICE_NAME", "from-the-environment");
    vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "team=mail,service.version=0.0.1");
    await using collector = await startCollector();
    await using pipeline = otelPipeline({
      serviceName: "users-api",
      serviceVersion: "1.4.2",
      endpoint: collector.url,
    });

    pipeline.tracer.startSpan("job.run").end();
    await pipeline.forceFlush();

    const { resource } = collector.spans[0] ?? {};
    expect(resource).toMatchObject({ "service.name": "users-api", "service.version": "1.4.2", team: "mail" });
    expect(resource).not.toHaveProperty("deployment.environment.name");
  });

  test("is sent with the headers, even if the given object changes later", async () => {
    await using collector = await startCollector();
    const headers = { "x-api-key": "key-1" };
    await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url, headers });

    headers["x-api-key"] = "key-2";
    pipeline.tracer.startSpan("job.run").end();
    await pipeline.forceFlush();

    expect(collector.requests[0]?.headers["x-api-key"]).toBe("key-1");
  });
});

describe("sampling", () => {
  test.each([
    ["a ratio of 0 exports nothing", 0, undefined, 0],
    ["a ratio of 1 exports everything", 1, undefined, 50],
    ["no ratio exports everything", undefined, undefined, 50],
    ["without a ratio, OTEL_TRACES_SAMPLER decides", undefined, "always_off", 0],
    ["a ratio wins over OTEL_TRACES_SAMPLER", 1, "always_off", 50],
  ])("%s", async (_case, sampleRatio, sampler, expected) => {
    if (sampler !== undefined) vi.stubEnv("OTEL_TRACES_SAMPLER", sampler);
    await using collector = await startCollector();
    await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url, sampleRatio });
    const runner = strictRunner(otelJobObserver({ tracer: pipeline.tracer }));

    for (let count = 0; count < 50; count++) runner.run(job("reindex", () => {}));
    await pipeline.shutdown();

    expect(collector.spans).toHaveLength(expected);
  });

  test("a ratio keeps whole traces: children follow their run", async () => {
    await using collector = await startCollector();
    await using pipeline = otelPipeline({
      serviceName: "users-api",
      endpoint: collector.url,
      sampleRatio: 0.5,
    });
    const runner = strictRunner(otelJobObserver({ tracer: pipeline.tracer }));

    for (let count = 0; count < 400; count++) {
      runner.run(job("reindex", () => pipeline.tracer.startSpan("query").end()));
    }
    await pipeline.shutdown();

    const tracesOf = (name: string): string[] =>
      collector.spans.filter((span) => span.name === name).map(({ traceId }) => traceId);
    expect(tracesOf("query").sort()).toEqual(tracesOf("job.run").sort());
    expect(tracesOf("job.run").length).toBeGreaterThan(50);
    expect(tracesOf("job.run").length).toBeLessThan(350);
  });

  test("a sampled parent decides, whatever the ratio", async () => {
    await using collector = await startCollector();
    await using pipeline = otelPipeline({
      serviceName: "users-api",
      endpoint: collector.url,
      sampleRatio: 0,
    });
    const observer = otelJobObserver({ tracer: pipeline.tracer, propagation: "parent" });

    await strictRunner(observer).runAsync(
      asyncJob("digest", async () => {}),
      { delivery: deliveryOf({ carrier: { traceparent: sampled } }) },
    );
    await pipeline.shutdown();

    expect(collector.spans.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual([
      ["a".repeat(32), "b".repeat(16)],
    ]);
  });
});
