import type { Tracer, TracerProvider } from "@opentelemetry/api";
import { trace } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { expectTypeOf } from "vitest";
import type { ServiceIdentity as IdentityOfMain, OtelPipeline as PipelineOfMain } from "../../src/index.ts";
import { type OtelPipeline, otelPipeline, type ServiceIdentity } from "../../src/sdk/index.ts";

expectTypeOf(otelPipeline).returns.toEqualTypeOf<OtelPipeline>();
expectTypeOf<OtelPipeline>().toEqualTypeOf<PipelineOfMain>();
expectTypeOf<ServiceIdentity>().toEqualTypeOf<IdentityOfMain>();
expectTypeOf<OtelPipeline>().toExtend<AsyncDisposable>();
expectTypeOf<OtelPipeline["tracer"]>().toEqualTypeOf<Tracer>();
expectTypeOf<OtelPipeline["tracerProvider"]>().toEqualTypeOf<TracerProvider>();
expectTypeOf<OtelPipeline["forceFlush"]>().returns.resolves.toBeVoid();

/** Never called: only its types matter. */
export function calls(service: ServiceIdentity): void {
  // The facade calls it with the service alone.
  expectTypeOf(otelPipeline).toBeCallableWith(service);
  trace.setGlobalTracerProvider(otelPipeline(service).tracerProvider);

  otelPipeline({
    serviceName: "users-api",
    spanProcessors: [new SimpleSpanProcessor(new InMemorySpanExporter())],
  });
  otelPipeline({
    serviceName: "users-api",
    serviceVersion: undefined,
    environment: undefined,
    endpoint: undefined,
    headers: undefined,
    sampleRatio: undefined,
    maxQueueSize: undefined,
    exportTimeoutMs: undefined,
    flushTimeoutMs: undefined,
    spanProcessors: undefined,
  });

  // @ts-expect-error a service has a name
  otelPipeline({ endpoint: "http://localhost:4318" });
  // @ts-expect-error values are strings
  otelPipeline({ serviceName: "users-api", headers: { "x-key": 42 } });
  // @ts-expect-error no such option
  otelPipeline({ serviceName: "users-api", url: "http://localhost:4318" });
}
