import { context, diag, trace } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type OtelPipelineOptions, otelPipeline } from "../../src/sdk/index.ts";
import { captureOutput } from "../support/captured-output.ts";
import { startCollector } from "../support/collector.ts";
import { clearOtelEnvironment } from "../support/environment.ts";
import { resetGlobalApi } from "../support/global-api.ts";
import { SpanRecorder } from "../support/recorded-spans.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

/** Returns the names of the spans that reach a recorder: a root span, and one in a trace that another service has sampled. */
async function sampled(options: Partial<OtelPipelineOptions> = {}): Promise<string[]> {
  const spans = new SpanRecorder();
  await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans], ...options });
  const parent = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1, isRemote: true };
  pipeline.tracer.startSpan("root").end();
  pipeline.tracer.startSpan("child", {}, trace.setSpanContext(context.active(), parent)).end();
  return spans.finished.map(({ name }) => name);
}

describe("OTEL_SDK_DISABLED", () => {
  test.each(["true", "TRUE", " True "])("set to %j makes no spans, and needs no collector", async (value) => {
    vi.stubEnv("OTEL_SDK_DISABLED", value);
    const spans = new SpanRecorder();
    await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans] });
    await using without = otelPipeline({ serviceName: "users-api" });

    for (const { tracer, tracerProvider } of [pipeline, without]) {
      expect(tracer.startSpan("job.run").isRecording()).toBe(false);
      expect(tracerProvider.getTracer("application").startSpan("request").isRecording()).toBe(false);
    }
    await pipeline.forceFlush();
    await pipeline.shutdown();

    expect(spans.openCount).toBe(0);
    expect(pipeline.droppedSpans).toBe(0);
  });

  test.each(["false", "1", "yes", ""])("set to %j changes nothing", async (value) => {
    vi.stubEnv("OTEL_SDK_DISABLED", value);
    expect(await sampled()).toEqual(["root", "child"]);
  });

  test("does not hide a wrong option", () => {
    vi.stubEnv("OTEL_SDK_DISABLED", "true");
    expect(() => otelPipeline({ serviceName: "" })).toThrow(TypeError);
  });
});

describe("OTEL_TRACES_EXPORTER", () => {
  test.each(["none", "otlp, none"])(
    "set to %j sends nothing, and processors still get spans",
    async (value) => {
      vi.stubEnv("OTEL_TRACES_EXPORTER", value);
      await using collector = await startCollector();

      expect(await sampled({ endpoint: collector.url })).toEqual(["root", "child"]);

      expect(collector.requests).toHaveLength(0);
    },
  );

  test("set to none needs no collector, and spans have ids for logs and headers", async () => {
    vi.stubEnv("OTEL_TRACES_EXPORTER", "none");
    await using pipeline = otelPipeline({ serviceName: "users-api" });

    expect(pipeline.tracer.startSpan("job.run").spanContext().traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
  });

  test.each([
    ["otlp", []],
    ["console", ["console"]],
    ["otlp, console", ["console"]],
    ["zipkin,console", ["zipkin,console"]],
  ])(
    "set to %j sends by OTLP, and diagnostics name the exporters that the pipeline lacks",
    async (value, lacking) => {
      vi.stubEnv("OTEL_TRACES_EXPORTER", value);
      await using collector = await startCollector();
      const { diagnostics } = captureOutput();
      await sampled({ endpoint: collector.url });
      expect(collector.spans).toHaveLength(2);
      expect(diagnostics.filter((text) => text.includes("OTEL_TRACES_EXPORTER"))).toEqual(
        lacking.map((names) => expect.stringContaining(`sends spans by OTLP only, not by ${names}"`)),
      );
    },
  );
});

describe("OTEL_EXPORTER_OTLP_PROTOCOL", () => {
  const variable = "OTEL_EXPORTER_OTLP_PROTOCOL";
  const ofTraces = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";

  test.each<[Record<string, string>, string[]]>([
    [
      { [variable]: "grpc" },
      [expect.stringContaining(`${variable}: this pipeline sends spans by http/protobuf only, not by grpc"`)],
    ],
    [{ [variable]: "http/json" }, [expect.stringMatching(`"${variable}: .*http/json"`)]],
    [{ [ofTraces]: "grpc" }, [expect.stringMatching(`"${ofTraces}: .*grpc"`)]],
    [{ [ofTraces]: "http/protobuf", [variable]: "grpc" }, []],
    [{ [ofTraces]: "grpc", [variable]: "http/protobuf" }, [expect.stringMatching(`"${ofTraces}: `)]],
    [{ [variable]: "http/protobuf" }, []],
    [{ [variable]: " " }, []],
  ])(
    "as in %j sends by http/protobuf, and diagnostics name another protocol",
    async (variables, warnings) => {
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
      await using collector = await startCollector();
      const { diagnostics } = captureOutput();
      await sampled({ endpoint: collector.url });
      expect(collector.spans).toHaveLength(2);
      expect(diagnostics.filter((text) => text.includes("OTEL_EXPORTER_OTLP"))).toEqual(warnings);
    },
  );

  test("is not read if nothing is exported", async () => {
    vi.stubEnv(variable, "grpc");
    const { diagnostics } = captureOutput();
    await sampled();
    expect(diagnostics.filter((text) => text.includes("OTEL_EXPORTER_OTLP"))).toEqual([]);
  });
});

describe("OTEL_TRACES_SAMPLER", () => {
  const samplers: [name: string, ratio: string | undefined, kept: string[]][] = [
    ["always_on", undefined, ["root", "child"]],
    ["always_off", undefined, []],
    ["traceidratio", "0", []],
    ["traceidratio", "1", ["root", "child"]],
    ["parentbased_always_on", undefined, ["root", "child"]],
    ["parentbased_always_off", undefined, ["child"]],
    ["parentbased_traceidratio", "0", ["child"]],
    // A value outside the specification is reported, and the default is used.
    ["traceidratio", "lots", ["root", "child"]],
    ["traceidratio", "1.5", ["root", "child"]],
    ["traceidratio", undefined, ["root", "child"]],
    ["toString", undefined, ["root", "child"]],
  ];

  test.each(samplers)("%s with %j keeps %j", async (name, ratio, kept) => {
    vi.stubEnv("OTEL_TRACES_SAMPLER", name);
    vi.stubEnv("OTEL_TRACES_SAMPLER_ARG", ratio);
    expect(await sampled()).toEqual(kept);
  });

  test("yields to `sampleRatio`", async () => {
    vi.stubEnv("OTEL_TRACES_SAMPLER", "always_on");
    expect(await sampled({ sampleRatio: 0 })).toEqual(["child"]);
  });
});

describe("limits", () => {
  test("of span attributes come from the standard variables", async () => {
    vi.stubEnv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2");
    vi.stubEnv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3");
    const spans = new SpanRecorder();
    await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans] });

    pipeline.tracer.startSpan("job.run", { attributes: { a: "12345", b: "1", c: "1" } }).end();

    expect(spans.only("job.run").attributes).toEqual({ a: "123", b: "1" });
  });

  test("of batches come from OTEL_BSP_*, and yield to options", async () => {
    vi.stubEnv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2");
    vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "1");
    await using collector = await startCollector();
    await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url });

    for (let i = 0; i < 3; i++) pipeline.tracer.startSpan("job.run").end();
    // Without a flush: the delay of the environment is one millisecond.
    await collector.received(2);

    expect(collector.requests.map(({ spans }) => spans.length)).toEqual([2, 1]);
  });

  test("that are no whole numbers are reported, and the default is used", async () => {
    const warnings: string[] = [];
    const ignore = (): void => {};
    diag.setLogger({
      error: ignore,
      info: ignore,
      debug: ignore,
      verbose: ignore,
      warn: (text) => warnings.push(text),
    });
    vi.stubEnv("OTEL_BSP_MAX_QUEUE_SIZE", "-3");
    vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "soon");
    await using collector = await startCollector();
    await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url });

    pipeline.tracer.startSpan("job.run").end();
    await pipeline.forceFlush();
    diag.disable();

    expect(collector.spans).toHaveLength(1);
    expect(warnings).toEqual([
      expect.stringContaining("OTEL_BSP_MAX_QUEUE_SIZE"),
      expect.stringContaining("OTEL_BSP_SCHEDULE_DELAY"),
    ]);
  });
});

describe("the identity of the service", () => {
  test("comes from the options, completed by the environment", async () => {
    vi.stubEnv("OTEL_SERVICE_NAME", "from-the-environment");
    vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,service.version=9,service.namespace=shop");
    const spans = new SpanRecorder();
    await using pipeline = otelPipeline({
      serviceName: "users-api",
      environment: "prod",
      spanProcessors: [spans],
    });

    pipeline.tracer.startSpan("job.run").end();

    expect(spans.only("job.run").resource.attributes).toMatchObject({
      "service.name": "users-api",
      "service.version": "9",
      "service.namespace": "shop",
      "deployment.environment.name": "prod",
    });
  });
});
