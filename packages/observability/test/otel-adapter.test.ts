import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { otelPipeline } from "@nidus/jobs-otel/sdk";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { production } from "../src/index.ts";
import { failingJob, reindex } from "./support/adapters.ts";
import { clearOtelEnvironment, resetGlobalApi } from "./support/global-api.ts";
import { pipelineMaker, RecordedPipeline, SpanRecorder } from "./support/recorded-pipeline.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

describe("otel() with nothing", () => {
  test("makes spans through the application's own set-up", () => {
    const spans = new SpanRecorder();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [spans] }));

    production("users-api").otel().jobRunner().run(reindex);

    expect(spans.finished.map(({ name }) => name)).toEqual(["job.run"]);
  });

  test("neither flushes nor shuts down the application's set-up", async () => {
    const spans = new SpanRecorder();
    const forceFlush = vi.spyOn(spans, "forceFlush");
    const shutdown = vi.spyOn(spans, "shutdown");
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [spans] }));
    const observability = production("users-api").otel();
    observability.jobRunner().run(reindex);

    await observability.forceFlush();
    await observability.shutdown();

    expect([forceFlush.mock.calls, shutdown.mock.calls]).toEqual([[], []]);
  });
});

describe("otel() with options", () => {
  test("takes its observer's options", () => {
    const { tracer, spans } = new RecordedPipeline();
    const runner = production("users-api").otel({ tracer, recordErrorMessage: false }).jobRunner();

    expect(() => runner.run(failingJob)).toThrow();

    const [span] = spans.finished;
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span?.attributes["error.type"]).toBe("TypeError");
    expect(JSON.stringify([span?.attributes, span?.events])).not.toContain("hunter2");
  });

  test("refuses wrong ones at the call", () => {
    expect(() => production("users-api").otel({ propagation: "child" as never })).toThrow("`propagation`");
  });
});

describe.each(["a pipeline", "a function that makes one"] as const)("otel() with %s", (kind) => {
  function setUp(options?: { recordErrorMessage: boolean }) {
    const pipeline = new RecordedPipeline();
    const source = kind === "a pipeline" ? pipeline : () => pipeline;
    return { pipeline, observability: production("users-api").otel(source, options) };
  }

  test("makes spans with its tracer", () => {
    const { pipeline, observability } = setUp();
    observability.jobRunner().run(reindex);
    expect(pipeline.spans.finished.map(({ name }) => name)).toEqual(["job.run"]);
  });

  test("takes the observer's options as well", () => {
    const { pipeline, observability } = setUp({ recordErrorMessage: false });
    expect(() => observability.jobRunner().run(failingJob)).toThrow();
    expect(pipeline.spans.finished[0]?.status).toEqual({ code: SpanStatusCode.ERROR });
  });

  test("flushes it and shuts it down with the facade", async () => {
    const { pipeline, observability } = setUp();
    observability.jobRunner();

    await observability.forceFlush();
    expect(pipeline.calls).toEqual(["forceFlush"]);

    await observability.shutdown();
    expect(pipeline.calls).toEqual(["forceFlush", "shutdown"]);
  });

  test("shuts it down at the end of an `await using` block", async () => {
    const { pipeline, observability } = setUp();
    {
      await using scoped = observability;
      scoped.jobRunner().run(reindex);
      expect(pipeline.calls).toEqual([]);
    }
    expect(pipeline.calls).toEqual(["shutdown"]);
  });

  test("rejects in shutdown() with an AggregateError of its error", async () => {
    const { pipeline, observability } = setUp();
    const failure = new Error("the disk is full");
    vi.spyOn(pipeline, "shutdown").mockRejectedValue(failure);
    observability.jobRunner();

    await expect(observability.shutdown()).rejects.toMatchObject({ errors: [failure] });
  });
});

test.each(["forceFlush", "shutdown"] as const)(
  "an existing pipeline gets %s, even if no job has run",
  async (step) => {
    const pipeline = new RecordedPipeline();
    await production("users-api").otel(pipeline)[step]();
    expect(pipeline.calls).toEqual([step]);
  },
);

describe("the function that makes a pipeline", () => {
  test("gets the service's identity, including later steps", () => {
    const maker = pipelineMaker();
    production("users-api").otel(maker).version("1.4.2").environment("prod").jobRunner();
    expect(maker.services).toEqual([
      { serviceName: "users-api", serviceVersion: "1.4.2", environment: "prod" },
    ]);
  });

  test("is called once, at the first use and not before", async () => {
    const maker = pipelineMaker();
    const observability = production("users-api").otel(maker).prometheus();
    expect(maker.services).toEqual([]);

    observability.jobRunner();
    observability.jobObserver();
    await observability.metrics();
    expect(maker.services).toHaveLength(1);
  });

  test("is not called by a facade that was never used", async () => {
    const maker = pipelineMaker();
    await production("users-api").otel(maker).shutdown();
    expect(maker.services).toEqual([]);
  });

  test("throws its error at the first use", () => {
    const observability = production("users-api").otel(otelPipeline);
    expect(() => observability.jobRunner()).toThrow("`endpoint`");
  });
});

test("otel(otelPipeline) sends spans that name the service to the collector of the environment", async () => {
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    for await (const chunk of request) bodies.push(chunk as Buffer);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  const observability = production("users-api").version("1.4.2").environment("prod").otel(otelPipeline);
  observability.jobRunner().run(reindex);
  await observability.shutdown();
  await observability.shutdown();
  server.close();
  server.closeAllConnections();

  const sent = Buffer.concat(bodies).toString("latin1");
  for (const text of ["job.run", "reindex", "users-api", "1.4.2", "prod"]) expect(sent).toContain(text);
});
