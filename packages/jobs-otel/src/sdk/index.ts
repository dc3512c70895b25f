export type { OtelPipeline } from "../pipeline.ts";
export type { ServiceIdentity } from "../service-identity.ts";
export type { OtelPipelineOptions } from "./options.ts";
export { otelPipeline } from "./otel-pipeline.ts";
