import { invalidArgument, propertyOf } from "@nidus/jobs-core/adapter";
import {
  type OtelJobObserverOptions,
  type OtelPipeline,
  otelJobObserver,
  type ServiceIdentity,
} from "@nidus/jobs-otel";
import type { ObservabilityAdapter } from "./adapter.ts";

/** A pipeline, or a function that makes one for a service. */
export type OtelPipelineSource = OtelPipeline | ((service: ServiceIdentity) => OtelPipeline);

/**
 * Refuses anything that is not a pipeline.
 *
 * @throws TypeError
 */
export function requirePipeline(what: string, value: unknown): void {
  const methods = [propertyOf(propertyOf(value, "tracer"), "startSpan")];
  for (const step of ["forceFlush", "shutdown"]) methods.push(propertyOf(value, step));
  if (methods.every((method) => typeof method === "function")) return;
  throw invalidArgument(what, "a pipeline with `tracer`, `forceFlush` and `shutdown`", value);
}

/**
 * Makes the adapter of a pipeline. @throws what the function throws; TypeError if it makes no pipeline, or for an option
 * that `otelJobObserver` refuses.
 */
export function otelAdapter(
  source: OtelPipelineSource,
  options: OtelJobObserverOptions | undefined,
  service: ServiceIdentity,
): ObservabilityAdapter {
  const pipeline = typeof source === "function" ? source(service) : source;
  requirePipeline("the result of the function that `otel` was given", pipeline);
  const observer = otelJobObserver({ ...options, tracer: options?.tracer ?? pipeline.tracer });
  return {
    name: "otel",
    jobObserver: () => observer,
    forceFlush: () => pipeline.forceFlush(),
    shutdown: () => pipeline.shutdown(),
  };
}
