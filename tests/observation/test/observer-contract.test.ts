import { otelJobMetricsObserver, otelJobObserver } from "@nidus/jobs-otel";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
import { type CreateObserver, observerContract } from "@nidus/jobs-testkit/contracts";
import { production } from "@nidus/observability";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { describe, test } from "vitest";

/** Creates a pipeline that makes real spans and drops them. */
const createOtel: CreateObserver = () => {
  const exporter = {
    export: (_spans: unknown, done: (result: { code: number }) => void) => done({ code: 0 }),
    shutdown: async () => {},
  };
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  return {
    observer: otelJobObserver({ tracer: provider.getTracer("test") }),
    forceFlush: () => provider.forceFlush(),
    shutdown: () => provider.shutdown(),
  };
};

const createFacade: CreateObserver = () => {
  const observability = production("users-api").prometheus().otel();
  return {
    observer: observability.jobObserver(),
    forceFlush: () => observability.forceFlush(),
    shutdown: () => observability.shutdown(),
  };
};

describe.each<[string, CreateObserver]>([
  ["prometheusJobObserver", prometheusJobObserver],
  ["otelJobObserver", createOtel],
  ["otelJobMetricsObserver", otelJobMetricsObserver],
  ["the facade with all of its own adapters", createFacade],
])("%s", (_name, createObserver) => {
  observerContract({ test, createObserver });
});
