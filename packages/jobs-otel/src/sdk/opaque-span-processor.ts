import type { Context } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-base";

/**
 * Hides a processor, and the exporter with its headers and open requests behind it, from whoever prints a span, a tracer or
 * a provider: they all lead to their processor, and what is private cannot be inspected.
 */
export class OpaqueSpanProcessor implements SpanProcessor {
  readonly #hidden: SpanProcessor;

  constructor(hidden: SpanProcessor) {
    this.#hidden = hidden;
  }

  onStart(span: Span, parentContext: Context): void {
    this.#hidden.onStart(span, parentContext);
  }

  onEnd(span: ReadableSpan): void {
    this.#hidden.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#hidden.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#hidden.shutdown();
  }
}
