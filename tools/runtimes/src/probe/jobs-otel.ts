import { deepEqual, equal } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { asyncJob } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import type { Checks } from "./check.ts";

export const checks: Checks = {
  async "a run is a span of the application's set-up, and active across awaits"() {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    trace.setGlobalTracerProvider(provider);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    try {
      const runner = new ObservedJobRunner(otelJobObserver());
      const fails = asyncJob("send_digest", async () => {
        await pause(1);
        trace.getTracer("application").startSpan("query").end();
        throw new RangeError("no such user");
      });
      await runner.runAsync(fails).catch(() => {});
      const [query, run] = exporter.getFinishedSpans();
      deepEqual([query?.name, run?.name], ["query", "job.run"]);
      equal(query?.parentSpanContext?.spanId, run?.spanContext().spanId);
      deepEqual([run?.status.code, run?.attributes["error.type"]], [SpanStatusCode.ERROR, "RangeError"]);
      equal(run?.attributes["job.name"], "send_digest");
    } finally {
      trace.disable();
      context.disable();
      await provider.shutdown();
    }
  },
};
