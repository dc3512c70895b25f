import { formatValue } from "@nidus/jobs-core/adapter";
import { type Context, diag } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace";

/**
 * Hides a processor when a span, tracer or provider is printed. All of these lead to their processor, and it to the
 * exporter with its headers and open requests; a private field cannot be inspected.
 *
 * Errors that the processor throws stay inside: they must not fail a job, nor keep spans from the other processors.
 */
export class OpaqueSpanProcessor implements SpanProcessor {
  readonly #hidden: SpanProcessor;

  constructor(hidden: SpanProcessor) {
    this.#hidden = hidden;
  }

  onStart(span: Span, parentContext: Context): void {
    this.#attempt(() => this.#hidden.onStart(span, parentContext));
  }

  onEnding(span: Span): void {
    this.#attempt(() => this.#hidden.onEnding?.(span));
  }

  onEnd(span: ReadableSpan): void {
    this.#attempt(() => this.#hidden.onEnd(span));
  }

  async forceFlush(): Promise<void> {
    try {
      await this.#hidden.forceFlush();
    } catch (error) {
      report(error);
    }
  }

  async shutdown(): Promise<void> {
    try {
      await this.#hidden.shutdown();
    } catch (error) {
      report(error);
    }
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      report(error);
    }
  }
}

function report(error: unknown): void {
  diag.error(`a span processor failed: ${formatValue(error)}`);
}
