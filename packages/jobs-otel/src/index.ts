export { messagingSpanConvention } from "./messaging-convention.ts";
export { type OtelJobMetricsObserverOptions, otelJobMetricsObserver } from "./otel-job-metrics-observer.ts";
export { type OtelJobObserverOptions, otelJobObserver } from "./otel-job-observer.ts";
export type { OtelPipeline } from "./pipeline.ts";
export type { ServiceIdentity } from "./service-identity.ts";

// For authors of span conventions.

export { jobSpanConvention, type SpanConvention } from "./semantic-conventions.ts";
