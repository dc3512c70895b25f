import {
  type Context,
  isSpanContextValid,
  context as otelContext,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from "@opentelemetry/api";

/**
 * Writes the trace headers of `context`: with the application's propagator, or as W3C `traceparent` if it has none.
 *
 * The context is active meanwhile, and the propagator gets the active object. Sentry's propagator writes for the active
 * context alone, and its context manager makes another object of each context.
 */
export function writeTraceHeaders(context: Context, carrier: Record<string, string>): void {
  if (propagation.fields().length > 0) {
    otelContext.with(context, () => {
      const active = otelContext.active();
      // Without a context manager, no context is active.
      const isActive = trace.getSpan(active) === trace.getSpan(context);
      propagation.inject(isActive ? active : context, carrier);
    });
    return;
  }
  const spanContext = trace.getSpanContext(context);
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return;
  const { traceId, spanId, traceFlags } = spanContext;
  carrier.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

/** Returns the span that wrote the headers, or undefined if no readable headers are there. Never throws. */
export function readTraceHeaders(carrier: Readonly<Record<string, string>>): SpanContext | undefined {
  try {
    const spanContext =
      propagation.fields().length > 0
        ? trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier))
        : parseTraceparent(carrier.traceparent);
    return spanContext !== undefined && isSpanContextValid(spanContext) ? spanContext : undefined;
  } catch {
    // Headers and propagators are untrusted. Without the link, the run still has its span.
    return undefined;
  }
}

/** Parses version 00 of the W3C Trace Context header. */
function parseTraceparent(header: string | undefined): SpanContext | undefined {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header ?? "");
  if (match === null) return undefined;
  const [, traceId = "", spanId = "", flags = ""] = match;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}
