import type { JobObserver } from "@nidus/jobs-observe";
import { metrics, type Span, type Tracer, trace } from "@opentelemetry/api";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { expectTypeOf } from "vitest";
import {
  type OtelJobObserverOptions,
  otelJobMetricsObserver,
  otelJobObserver,
  type SpanConvention,
} from "../src/index.ts";

expectTypeOf(otelJobObserver).returns.toEqualTypeOf<JobObserver>();
expectTypeOf(otelJobMetricsObserver).returns.toEqualTypeOf<JobObserver>();

// Tracers and meters of the API and of the SDK fit.
otelJobObserver({ tracer: trace.getTracer("app") });
otelJobObserver({ tracer: new BasicTracerProvider().getTracer("app") });
otelJobMetricsObserver({ meter: metrics.getMeter("app") });
otelJobMetricsObserver({ meter: new MeterProvider().getMeter("app") });

// Options may be left out, and undefined: users compile with exactOptionalPropertyTypes.
otelJobObserver();
otelJobObserver({});
otelJobObserver({
  tracer: undefined,
  recordErrorMessage: undefined,
  propagation: undefined,
  convention: undefined,
});
otelJobMetricsObserver({ meter: undefined });

expectTypeOf<OtelJobObserverOptions["tracer"]>().toEqualTypeOf<Tracer | undefined>();
expectTypeOf<OtelJobObserverOptions["propagation"]>().toEqualTypeOf<"link" | "parent" | "none" | undefined>();
expectTypeOf<OtelJobObserverOptions["convention"]>().toEqualTypeOf<SpanConvention | undefined>();

// @ts-expect-error a span is no tracer
otelJobObserver({ tracer: {} as Span });
// @ts-expect-error only the three
otelJobObserver({ propagation: "child" });
// @ts-expect-error no such option
otelJobObserver({ meter: metrics.getMeter("app") });
// @ts-expect-error a convention is whole
otelJobObserver({ convention: { runName: () => "job" } });
