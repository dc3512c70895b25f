import {
  type OtelJobObserverOptions,
  type OtelPipeline,
  otelJobObserver,
  type ServiceIdentity,
} from "@nidus/jobs-otel";
import type { ObservabilityAdapter } from "./adapter.ts";

/** A pipeline, or a function that makes one for a service. */
export type OtelPipelineSource = OtelPipeline | ((service: ServiceIdentity) => OtelPipeline);

/** Makes the adapter of a pipeline. @throws what the function throws; TypeError for an option that `otelJobObserver` refuses. */
export function otelAdapter(
  source: OtelPipelineSource,
  options: OtelJobObserverOptions | undefined,
  service: ServiceIdentity,
): ObservabilityAdapter {
  const pipeline = typeof source === "function" ? source(service) : source;
  const observer = otelJobObserver({ ...options, tracer: options?.tracer ?? pipeline.tracer });
  return {
    name: "otel",
    jobObserver: () => observer,
    forceFlush: () => pipeline.forceFlush(),
    shutdown: () => pipeline.shutdown(),
  };
}
