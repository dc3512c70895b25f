import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import type { OtelPipeline } from "@nidus/jobs-otel";
import { otelPipeline } from "@nidus/jobs-otel/sdk";
import { trace } from "@opentelemetry/api";
import { Registry } from "prom-client";
import { expectTypeOf } from "vitest";
import {
  definePreset,
  development,
  type MetricsHandler,
  type Observability,
  type ObservabilityAdapter,
  type OtelPipelineSource,
  production,
  type ServiceIdentity,
} from "../src/index.ts";

const facade = production("users-api");
expectTypeOf(facade).toEqualTypeOf<Observability>();
expectTypeOf(facade).toExtend<AsyncDisposable>();
expectTypeOf(facade.version("1.4.2").environment("prod").prometheus().otel()).toEqualTypeOf<Observability>();
expectTypeOf(facade.jobRunner()).toEqualTypeOf<ObservedJobRunner>();
expectTypeOf(facade.jobObserver()).toEqualTypeOf<JobObserver>();
expectTypeOf(facade.metrics()).resolves.toBeString();
expectTypeOf(facade.contentType).toBeString();
expectTypeOf(facade.forceFlush()).resolves.toBeVoid();
expectTypeOf(facade.shutdown()).resolves.toBeVoid();

// The handler fits node:http, and frameworks that pass on its objects.
expectTypeOf(facade.metricsHandler()).toEqualTypeOf<MetricsHandler>();
expectTypeOf<MetricsHandler>().parameters.toEqualTypeOf<[IncomingMessage, ServerResponse]>();
createServer(facade.metricsHandler());

// Each adapter takes its observer's options.
facade.prometheus({ maxSeries: 500, registry: new Registry(), prefix: undefined });
const openMetrics = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
facade.prometheus({ registry: openMetrics });
facade.otel({ recordErrorMessage: false, tracer: trace.getTracer("app") });
facade.otel(undefined);

// A pipeline, or a function that makes one: `otelPipeline` itself, or a wrapper.
expectTypeOf(otelPipeline).toExtend<OtelPipelineSource>();
expectTypeOf<OtelPipeline>().toExtend<OtelPipelineSource>();
facade.otel(otelPipeline);
facade.otel(otelPipeline, { propagation: "parent" });
facade.otel((service) => {
  expectTypeOf(service).toEqualTypeOf<ServiceIdentity>();
  return otelPipeline({ ...service, endpoint: "https://collector.example.com" });
});

// The smallest adapter, and one with all members.
facade.with({ name: "audit", jobObserver: () => ({}) });
facade.with({
  name: "audit",
  jobObserver: ({ serviceName }) => ({ onJobStarted: ({ jobName }) => void [serviceName, jobName] }),
  metrics: async () => "audit 1\n",
  contentType: undefined,
  forceFlush: () => {},
  shutdown: async () => {},
});
expectTypeOf<ObservabilityAdapter["jobObserver"]>().parameters.toEqualTypeOf<[ServiceIdentity]>();

// Presets, and set-ups for your own machine.
facade.with(definePreset("acme", (observability) => observability.prometheus().otel()));
expectTypeOf(development("users-api")).toEqualTypeOf<Observability>();
development("users-api", { stream: undefined, waiting: undefined });
development("users-api", { stream: process.stdout, waiting: () => 7 });
// @ts-expect-error a preset returns a set-up
definePreset("acme", () => {});
// @ts-expect-error steps are a function of a set-up
definePreset("acme", {});
// @ts-expect-error how many wait is a function
development("users-api", { waiting: 7 });

// @ts-expect-error a service has a name
production();
// @ts-expect-error a version is text
facade.version(1.4);
// @ts-expect-error no such option
facade.prometheus({ maxLabels: 500 });
// @ts-expect-error a pipeline comes first
facade.otel({ recordErrorMessage: false }, otelPipeline);
// @ts-expect-error an adapter observes
facade.with({ name: "audit" });
// @ts-expect-error an observer is there at once
facade.with({ name: "audit", jobObserver: async () => ({}) });
// @ts-expect-error metrics are text
facade.with({ name: "audit", jobObserver: () => ({}), metrics: () => 5 });
// @ts-expect-error a function makes a pipeline
facade.otel(() => {});
// @ts-expect-error a pipeline is there at once
facade.otel(async (service) => otelPipeline(service));
// @ts-expect-error a preset returns its set-up at once
facade.with(definePreset("acme", async (observability) => observability));
