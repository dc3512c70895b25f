import { type Context, type TextMapPropagator, TraceFlags, trace } from "@opentelemetry/api";

/** A propagator with its own format, like B3 or a vendor's. */
export const dashPropagator: TextMapPropagator<Record<string, string>> = {
  fields: () => ["x-dash"],
  inject(context, carrier) {
    const span = trace.getSpanContext(context);
    if (span !== undefined) carrier["x-dash"] = `${span.traceId}/${span.spanId}`;
  },
  extract(context: Context, carrier) {
    const [trace_ = "", span_ = ""] = carrier["x-dash"]?.split("/") ?? [];
    const remote = { traceId: trace_, spanId: span_, traceFlags: TraceFlags.SAMPLED, isRemote: true };
    return trace.setSpanContext(context, remote);
  },
};

/** The propagator with a method that throws. */
export function brokenPropagator(method: "extract" | "inject"): TextMapPropagator<Record<string, string>> {
  const refuse = (): never => {
    throw new Error("the propagator is broken");
  };
  return { ...dashPropagator, [method]: refuse };
}
