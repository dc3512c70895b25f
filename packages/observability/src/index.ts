export type { MetricsHandler } from "./metrics-handler.ts";
export { type Observability, production } from "./observability.ts";
export type { OtelPipelineSource } from "./otel-adapter.ts";

// For authors of adapters.

export type { ServiceIdentity } from "@nidus/jobs-otel";
export type { ObservabilityAdapter } from "./adapter.ts";
