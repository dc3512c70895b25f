import { job } from "@nidus/jobs-core";
import { context, type Span, trace } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { otelJobObserver } from "../../src/index.ts";
import { type OtelPipelineOptions, otelPipeline } from "../../src/sdk/index.ts";
import { captureOutput } from "../support/captured-output.ts";
import { type Answer, closedUrl, startCollector } from "../support/collector.ts";
import { clearOtelEnvironment } from "../support/environment.ts";
import { resetGlobalApi } from "../support/global-api.ts";
import { SpanRecorder, textOf } from "../support/recorded-spans.ts";
import { strictRunner } from "../support/runner.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

const secret = "hunter2-9f8e7d6c";
const headers = { authorization: `Bearer ${secret}` };

/** The text before every secret. */
function leaksIn(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    const index = text.indexOf(secret);
    return index === -1 ? [] : [text.slice(Math.max(0, index - 120), index)];
  });
}

describe("header values stay out of errors", () => {
  const wrong: [string, Record<string, unknown>][] = [
    ["a header of two lines", { headers: { "x-api-key": `${secret}\nx: y` } }],
    ["a header that is an array", { headers: { "x-api-key": [secret] } }],
    ["a header that is an object", { headers: { "x-api-key": { secret } } }],
    ["a wrong endpoint", { headers, endpoint: "nonsense" }],
    ["an endpoint that is refused", { headers, endpoint: "http://collector.example.com" }],
    ["a wrong ratio", { headers, sampleRatio: 7 }],
    ["a wrong timeout", { headers, exportTimeoutMs: -1 }],
    ["no service name", { headers, serviceName: "" }],
  ];

  test.each(wrong)("of %s", (_case, given) => {
    const options = { serviceName: "users-api", endpoint: "http://localhost:4318", ...given };
    let thrown: unknown;
    try {
      otelPipeline(options as unknown as OtelPipelineOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Error);
    expect(textOf(thrown)).not.toContain(secret);
  });
});

describe("header values stay out of inspected objects", () => {
  test.each([
    ["given as an option", { headers }, {}],
    ["given in the environment", {}, { OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${secret}` }],
  ])("%s: before, while and after they are sent", async (_case, given, variables) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const printed: string[] = [];
    const spans = new SpanRecorder();
    // Called while the exporter's request, with its headers, is open.
    const printAndAccept: Answer = (response) => {
      print();
      response.writeHead(200).end();
    };
    await using collector = await startCollector(printAndAccept);
    const options = { serviceName: "users-api", endpoint: collector.url, spanProcessors: [spans] };
    await using pipeline = otelPipeline({ ...options, ...given });
    const { tracer, tracerProvider } = pipeline;
    const runner = strictRunner(otelJobObserver({ tracer }));
    const print = (...others: unknown[]): void => {
      const values = [pipeline, tracer, tracerProvider, runner, ...spans.finished, ...others];
      printed.push(values.map(textOf).join("\n"));
    };

    print();
    runner.run(job("reindex", () => print(trace.getSpan(context.active()) as Span)));
    await pipeline.forceFlush();
    print();

    expect(collector.requests.map((request) => request.headers.authorization)).toEqual([`Bearer ${secret}`]);
    expect(printed).toHaveLength(4);
    expect(leaksIn(printed)).toEqual([]);
  });
});

describe("header values stay out of logs, warnings and the terminal", () => {
  const answers: [string, Answer | undefined, RegExp][] = [
    ["is well", (response) => response.writeHead(200).end(), /Export succeeded/],
    ["is not there", undefined, /ECONNREFUSED/],
    ["never answers", () => {}, /Error: Timeout|timed out/],
    ["answers 503", (response) => response.writeHead(503).end(), /spans could not be exported/],
    [
      "answers 401",
      (response) => response.writeHead(401).end("no such key"),
      /spans could not be exported \(401\)/,
    ],
    ["breaks the connection", (response) => response.destroy(), /spans could not be exported/],
    ["answers nonsense", (response) => response.writeHead(200).end("\xff\xff"), /could not deserialize/],
    [
      "repeats the key that it refuses",
      (response, request) => response.writeHead(401).end(`unknown key: ${request.headers.authorization}`),
      /spans could not be exported \(401\)/,
    ],
  ];

  test.each(answers)("while the collector %s", async (what, answer, diagnosis) => {
    const output = captureOutput();
    await using collector = await startCollector(answer);
    const endpoint = answer === undefined ? await closedUrl() : collector.url;
    // A retryable answer is requested until the time is up; any answer must arrive in time.
    const exportTimeoutMs = /never|503|breaks|not there/.test(what) ? 200 : 60_000;
    // The processor itself exports a full batch, and logs failures; a flush would only reject.
    const options = { serviceName: "users-api", endpoint, headers, maxQueueSize: 4, exportTimeoutMs };
    const pipeline = otelPipeline(options);
    const runner = strictRunner(otelJobObserver({ tracer: pipeline.tracer }));

    for (let count = 0; count < 6; count++) runner.run(job("reindex", () => {}));
    await expect.poll(() => output.diagnostics.some((text) => diagnosis.test(text))).toBe(true);
    await pipeline.shutdown();

    expect(output.diagnostics.some((text) => text.includes("items to be sent"))).toBe(true);
    expect(leaksIn(output.diagnostics)).toEqual([]);
    expect(leaksIn(output.printed)).toEqual([]);
  });

  test.each([
    ["value that HTTP does not allow", { "x-api-key": `ключ-${secret}` }],
    ["name that HTTP does not allow", { "bad name": secret }],
  ])("if a header has a %s", async (_case, unusable) => {
    const output = captureOutput();
    await using collector = await startCollector();
    const options = { serviceName: "users-api", endpoint: collector.url, headers: unusable };
    const refusals: string[] = [];

    try {
      const pipeline = otelPipeline({ ...options, maxQueueSize: 4 });
      for (let count = 0; count < 6; count++) pipeline.tracer.startSpan("job.run").end();
      await pipeline.shutdown();
    } catch (error) {
      refusals.push(textOf(error));
    }

    expect(collector.requests).toEqual([]);
    expect(leaksIn([...refusals, ...output.diagnostics, ...output.printed])).toEqual([]);
  });
});
