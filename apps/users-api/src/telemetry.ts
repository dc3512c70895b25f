import { type OtelPipeline, otelPipeline } from "@nidus/jobs-otel/sdk";
import { type Observability, production } from "@nidus/observability";
import type { Tracer } from "@opentelemetry/api";
import { SlowestTrace } from "./slowest-trace.ts";
import { UserError } from "./user-error.ts";

/** How the service is observed. */
export interface Telemetry {
  readonly observability: Observability;
  /** Makes the spans within jobs. */
  readonly tracer: Tracer;
  readonly slowestTrace: SlowestTrace;
}

function startPipeline(serviceVersion: string, slowestTrace: SlowestTrace): OtelPipeline {
  try {
    return otelPipeline({ serviceName: "users-api", serviceVersion, spanProcessors: [slowestTrace] });
  } catch (error) {
    // Only the environment's settings of the export can be wrong here.
    throw new UserError((error as Error).message, { cause: error });
  }
}

/**
 * Starts Prometheus metrics and spans. The spans are kept for the summary, and exported if OTEL_EXPORTER_OTLP_ENDPOINT
 * is set.
 */
export function startTelemetry(version: string): Telemetry {
  const slowestTrace = new SlowestTrace();
  const pipeline = startPipeline(version, slowestTrace);
  return {
    observability: production("users-api").version(version).prometheus().otel(pipeline),
    tracer: pipeline.tracerProvider.getTracer("users-api", version),
    slowestTrace,
  };
}
