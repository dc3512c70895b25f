import http from "node:http";
import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { resetGlobalApi } from "./support/global-api.ts";
import { SpanRecorder } from "./support/recorded-spans.ts";

beforeEach(() => vi.resetModules());
afterEach(resetGlobalApi);

/** Returns the state that instrumentation patches, and that an import could change. */
function processState(): Record<string, unknown> {
  return {
    globals: Reflect.ownKeys(globalThis),
    registered: Reflect.ownKeys(
      (globalThis as Record<symbol, object>)[Symbol.for("opentelemetry.js.api.1")] ?? {},
    ),
    functions: [http.request, http.createServer, globalThis.fetch, globalThis.setTimeout],
    promises: Object.getOwnPropertyDescriptors(Promise.prototype),
    runners: Object.getOwnPropertyDescriptors(ObservedJobRunner.prototype),
    listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
    environment: { ...process.env },
  };
}

test.each(["../src/index.ts", "../src/sdk/index.ts"])(
  "importing %s registers and patches nothing",
  async (path) => {
    const before = processState();
    await import(path);
    expect(processState()).toEqual(before);
  },
);

test("observers register and patch nothing when they are made and used", async () => {
  const { otelJobMetricsObserver, otelJobObserver } = await import("../src/index.ts");
  const before = processState();

  const runner = new ObservedJobRunner([otelJobObserver(), otelJobMetricsObserver()]);
  runner.run(job("reindex", () => {}));
  await runner.runAsync(asyncJob("digest", async () => {}));

  expect(processState()).toEqual(before);
});

test("a pipeline registers a context manager and nothing else", async () => {
  const { otelPipeline } = await import("../src/sdk/index.ts");
  const { registered: _none, globals: _before, ...before } = processState();

  await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [new SpanRecorder()] });

  const { registered, globals: _after, ...after } = processState();
  expect(pipeline.tracer).toBeDefined();
  expect(after).toEqual(before);
  expect(registered).toEqual(["version", "context"]);
});
