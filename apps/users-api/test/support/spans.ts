import { type Context, context, type Span, trace } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { SlowestTrace } from "../../src/slowest-trace.ts";

/** Makes spans with the times that a test sets, in milliseconds. */
export interface SpanMaker {
  readonly slowestTrace: SlowestTrace;
  start(name: string, startMs: number, parent?: Span): Span;
}

/** Spans that end in a `SlowestTrace` of their own. */
export function spanMaker(): SpanMaker {
  const slowestTrace = new SlowestTrace();
  const tracer = new BasicTracerProvider({ spanProcessors: [slowestTrace] }).getTracer("test");
  return {
    slowestTrace,
    start(name, startMs, parent) {
      const above: Context =
        parent === undefined ? context.active() : trace.setSpan(context.active(), parent);
      return tracer.startSpan(name, { startTime: new Date(startMs) }, above);
    },
  };
}
