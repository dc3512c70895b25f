export { type OtelJobMetricsObserverOptions, otelJobMetricsObserver } from "./otel-job-metrics-observer.ts";
export { type OtelJobObserverOptions, otelJobObserver } from "./otel-job-observer.ts";
export type { OtelPipeline } from "./pipeline.ts";
export type { ServiceIdentity } from "./service-identity.ts";

// For those who settle on names of their own.

export { jobSpanConvention, type SpanConvention } from "./semantic-conventions.ts";
