import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { otelPipeline } from "../../src/sdk/index.ts";
import { closedUrl, startCollector } from "../support/collector.ts";
import { clearOtelEnvironment } from "../support/environment.ts";
import { resetGlobalApi } from "../support/global-api.ts";
import { SpanRecorder } from "../support/recorded-spans.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

test("none are counted if all arrive", async () => {
  await using collector = await startCollector();
  await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url, maxQueueSize: 2 });

  for (let i = 0; i < 4; i++) {
    pipeline.tracer.startSpan("job.run").end();
    await pipeline.forceFlush();
  }

  expect([collector.spans.length, pipeline.droppedSpans]).toEqual([4, 0]);
});

test("those that find the buffer full are counted", async () => {
  await using collector = await startCollector();
  await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url, maxQueueSize: 3 });

  for (let i = 0; i < 20; i++) pipeline.tracer.startSpan("job.run").end();
  await pipeline.forceFlush();

  expect(collector.spans.length + pipeline.droppedSpans).toBe(20);
  expect(pipeline.droppedSpans).toBeGreaterThan(0);
});

test("those of a failed export are counted", async () => {
  await using collector = await startCollector((response) => response.writeHead(400).end());
  await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url });

  for (let i = 0; i < 3; i++) pipeline.tracer.startSpan("job.run").end();
  await pipeline.forceFlush();

  expect(pipeline.droppedSpans).toBe(3);
});

test("those for an absent collector are counted", async () => {
  await using pipeline = otelPipeline({
    serviceName: "users-api",
    endpoint: await closedUrl(),
    exportTimeoutMs: 50,
  });

  pipeline.tracer.startSpan("job.run").end();
  await pipeline.forceFlush();

  await vi.waitFor(() => expect(pipeline.droppedSpans).toBe(1), 10_000);
});

test("those that end after the pipeline are counted", async () => {
  await using collector = await startCollector();
  const pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url });
  const span = pipeline.tracer.startSpan("job.run");

  await pipeline.shutdown();
  span.end();

  expect(pipeline.droppedSpans).toBe(1);
});

test("unsampled spans, and spans without an export, are not counted", async () => {
  await using collector = await startCollector();
  await using unsampled = otelPipeline({ serviceName: "users-api", endpoint: collector.url, sampleRatio: 0 });
  await using recorded = otelPipeline({ serviceName: "users-api", spanProcessors: [new SpanRecorder()] });
  for (const { tracer } of [unsampled, recorded]) tracer.startSpan("job.run").end();

  expect([unsampled.droppedSpans, recorded.droppedSpans]).toEqual([0, 0]);
});
