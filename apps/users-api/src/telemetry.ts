import { type OtelPipeline, otelPipeline } from "@nidus/jobs-otel/sdk";
import { type Observability, production } from "@nidus/observability";
import type { Tracer } from "@opentelemetry/api";
import { SlowestTrace } from "./slowest-trace.ts";
import { UserError } from "./user-error.ts";

/** How the service is observed. */
export interface Telemetry {
  readonly observability: Observability;
  /** For the spans within jobs. */
  readonly tracer: Tracer;
  readonly slowestTrace: SlowestTrace;
}

function startPipeline(serviceVersion: string, slowestTrace: SlowestTrace): OtelPipeline {
  try {
    return otelPipeline({ serviceName: "users-api", serviceVersion, spanProcessors: [slowestTrace] });
  } catch (error) {
    // The one thing that can be wrong here is what the environment says about the export.
    throw new UserError((error as Error).message, { cause: error });
  }
}

/** Prometheus metrics, and spans that are kept for the summary and exported where OTEL_EXPORTER_OTLP_ENDPOINT says. */
export function startTelemetry(version: string): Telemetry {
  const slowestTrace = new SlowestTrace();
  const pipeline = startPipeline(version, slowestTrace);
  return {
    observability: production("users-api").version(version).prometheus().otel(pipeline),
    tracer: pipeline.tracerProvider.getTracer("users-api", version),
    slowestTrace,
  };
}
