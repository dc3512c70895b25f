import { trace } from "@opentelemetry/api";
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type OtelPipelineOptions, otelPipeline } from "../../src/sdk/index.ts";
import { startCollector } from "../support/collector.ts";
import { clearOtelEnvironment } from "../support/environment.ts";
import { resetGlobalApi } from "../support/global-api.ts";
import { SpanRecorder } from "../support/recorded-spans.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

describe("wrong options", () => {
  const wrong: [string, unknown, typeof Error, RegExp][] = [
    ["no service name", { serviceName: undefined }, TypeError, /`serviceName`.*got undefined/],
    ["an empty service name", { serviceName: "" }, TypeError, /`serviceName`.*got ""/],
    ["a queue of nothing", { maxQueueSize: 0 }, RangeError, /`maxQueueSize`.*from 1.*got 0/],
    ["a queue of one and a half", { maxQueueSize: 1.5 }, RangeError, /`maxQueueSize`.*got 1.5/],
    [
      "an endless queue",
      { maxQueueSize: Number.POSITIVE_INFINITY },
      RangeError,
      /`maxQueueSize`.*got Infinity/,
    ],
    ["an export timeout of NaN", { exportTimeoutMs: Number.NaN }, RangeError, /`exportTimeoutMs`.*got NaN/],
    [
      "an export timeout beyond what timers take",
      { exportTimeoutMs: 2 ** 31 },
      RangeError,
      /`exportTimeoutMs`/,
    ],
    ["a negative flush timeout", { flushTimeoutMs: -1 }, RangeError, /`flushTimeoutMs`.*got -1/],
    ["a flush timeout in words", { flushTimeoutMs: "5s" }, RangeError, /`flushTimeoutMs`.*got "5s"/],
    ["a ratio above 1", { sampleRatio: 1.01 }, RangeError, /`sampleRatio`.*from 0 to 1.*got 1.01/],
    ["a ratio below 0", { sampleRatio: -0.1 }, RangeError, /`sampleRatio`.*got -0.1/],
    ["a ratio of NaN", { sampleRatio: Number.NaN }, RangeError, /`sampleRatio`.*got NaN/],
    ["a ratio that is a string", { sampleRatio: "0.5" }, Error, /`sampleRatio`.*got "0.5"/],
    ["a ratio of null", { sampleRatio: null }, Error, /`sampleRatio`.*got null/],
    ["an option that nothing reads", { sampleRation: 0.5 }, TypeError, /"sampleRation".*`sampleRatio`/],
    ["a permission in words", { allowInsecure: "yes" }, TypeError, /`allowInsecure`.*got "yes"/],
    ["a header that is no string", { headers: { "x-key": 42 } }, TypeError, /header "x-key"/],
    ["headers of null", { headers: null }, TypeError, /`headers`.*plain object/],
    [
      "headers in a text",
      { headers: "x-key: open sesame" },
      TypeError,
      /`headers`.*plain object of names and values$/,
    ],
    ["headers in a list", { headers: ["x-key", "a"] }, TypeError, /`headers`.*plain object/],
    ["headers in a Map", { headers: new Map([["x-key", "a"]]) }, TypeError, /`headers`.*plain object/],
    ["headers of fetch", { headers: new Headers({ "x-key": "a" }) }, TypeError, /`headers`.*plain object/],
    ["a version that is a number", { serviceVersion: 1.4 }, TypeError, /`serviceVersion`.*got 1.4/],
    ["an environment of null", { environment: null }, TypeError, /`environment`.*got null/],
    ["processors of null", { spanProcessors: null }, TypeError, /`spanProcessors`.*array.*got null/],
    ["one processor", { spanProcessors: new SpanRecorder() }, TypeError, /`spanProcessors`.*array/],
    ["a processor without methods", { spanProcessors: [{}] }, TypeError, /`spanProcessors`.*span processors/],
    ["processors that are not there", { spanProcessors: new Array(2) }, TypeError, /`spanProcessors`.*array/],
    ["a header of two lines", { headers: { "x-key": "a\r\nb: c" } }, TypeError, /header "x-key"/],
  ];

  test.each(wrong)(
    "such as %s are refused, naming the option and the value",
    (_case, given, type, message) => {
      const options = { serviceName: "users-api", endpoint: "http://localhost:4318", ...(given as object) };
      const make = (): unknown => otelPipeline(options as OtelPipelineOptions);
      expect(make).toThrow(type);
      expect(make).toThrow(message);
    },
  );
});

describe("spanProcessors", () => {
  test("get every span instead of an export, and need no endpoint", async () => {
    const spans = new SpanRecorder();
    await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans] });

    pipeline.tracer.startSpan("job.run").end();

    expect(spans.only("job.run").resource.attributes["service.name"]).toBe("users-api");
  });

  test("receive a span's start, ending and end, and may still add to it while it is ending", async () => {
    const told: string[] = [];
    const spans = new SpanRecorder();
    const listening: SpanProcessor = {
      onStart: () => void told.push("start"),
      onEnding(span) {
        told.push("ending");
        span.setAttribute("region", "eu");
      },
      onEnd: (span) => {
        told.push("end");
        spans.finished.push(span);
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [listening] });

    pipeline.tracer.startSpan("job.run").end();

    expect(told).toEqual(["start", "ending", "end"]);
    expect(spans.only("job.run").attributes).toEqual({ region: "eu" });
  });

  test("get every span beside the export if there is an endpoint", async () => {
    await using collector = await startCollector();
    const spans = new SpanRecorder();
    await using pipeline = otelPipeline({
      serviceName: "users-api",
      endpoint: collector.url,
      spanProcessors: [spans],
    });

    pipeline.tracer.startSpan("job.run").end();
    await pipeline.forceFlush();

    expect(spans.finished).toHaveLength(1);
    expect(collector.spans).toHaveLength(1);
  });

  test("are flushed and shut down with the pipeline", async () => {
    const spans = new SpanRecorder();
    const forceFlush = vi.spyOn(spans, "forceFlush");
    const shutdown = vi.spyOn(spans, "shutdown");
    const pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans] });

    await pipeline.forceFlush();
    expect(forceFlush).toHaveBeenCalledOnce();
    expect(shutdown).not.toHaveBeenCalled();

    await pipeline.shutdown();
    expect(shutdown).toHaveBeenCalledOnce();
  });

  const failures: [string, () => Promise<void>][] = [
    ["reject", () => Promise.reject(new Error("the disk is full"))],
    [
      "throw",
      () => {
        throw new Error("the disk is full");
      },
    ],
  ];

  test.each(failures)(
    "that %s when they are flushed or shut down do not make the pipeline fail",
    async (_case, fail) => {
      const spans = Object.assign(new SpanRecorder(), { forceFlush: fail, shutdown: fail });
      const pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans] });

      await expect((async () => pipeline.forceFlush())()).resolves.toBeUndefined();
      await expect((async () => pipeline.shutdown())()).resolves.toBeUndefined();
      await expect((async () => pipeline.shutdown())()).resolves.toBeUndefined();
    },
  );

  test.each(failures)("that %s do not keep the pipeline from sending the buffer", async (_case, fail) => {
    for (const step of ["forceFlush", "shutdown"] as const) {
      await using collector = await startCollector();
      const failing = Object.assign(new SpanRecorder(), { [step]: fail });
      const options = { serviceName: "users-api", endpoint: collector.url, spanProcessors: [failing] };
      await using pipeline = otelPipeline(options);
      pipeline.tracer.startSpan("job.run").end();

      await (async () => pipeline[step]())().catch(() => {});

      expect([step, collector.spans.length]).toEqual([step, 1]);
    }
  });
});

describe("the end of a pipeline", () => {
  test("comes at the end of an `await using` block, with what was buffered sent", async () => {
    await using collector = await startCollector();
    {
      await using pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url });
      pipeline.tracer.startSpan("job.run").end();
      expect(collector.requests).toHaveLength(0);
    }
    expect(collector.spans).toHaveLength(1);
  });

  test("happens once, however often it is called, and accepts no further spans", async () => {
    await using collector = await startCollector();
    const pipeline = otelPipeline({ serviceName: "users-api", endpoint: collector.url });
    pipeline.tracer.startSpan("job.run").end();

    await Promise.all([pipeline.shutdown(), pipeline.shutdown(), pipeline.forceFlush()]);
    pipeline.tracer.startSpan("late").end();
    await pipeline.shutdown();
    await pipeline.forceFlush();

    expect(collector.spans.map(({ name }) => name)).toEqual(["job.run"]);
  });

  test("does not touch the application's own set-up", async () => {
    const spans = new SpanRecorder();
    await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans] });

    trace.getTracer("application").startSpan("request").end();
    expect(spans.finished).toEqual([]);

    trace.setGlobalTracerProvider(pipeline.tracerProvider);
    trace.getTracer("application").startSpan("request").end();
    expect(spans.all("request")).toHaveLength(1);
  });
});
