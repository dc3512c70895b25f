export { type DevelopmentOptions, development } from "./development/development.ts";
export type { HealthHandler, HealthHandlerOptions, HealthReport } from "./health-handler.ts";
export type { MetricsHandler } from "./metrics-handler.ts";
export { type Observability, type ObservabilityPreset, production } from "./observability.ts";
export type { OtelPipelineSource } from "./otel-adapter.ts";
export { definePreset } from "./preset.ts";

// For authors of adapters.

export type { ServiceIdentity } from "@nidus/jobs-otel";
export type { ObservabilityAdapter } from "./adapter.ts";
