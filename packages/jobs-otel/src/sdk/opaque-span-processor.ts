import { describe } from "@nidus/jobs-core";
import { type Context, diag } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-base";

/**
 * Hides a processor, and the exporter with its headers and open requests behind it, from whoever prints a span, a tracer or
 * a provider: they all lead to their processor, and what is private cannot be inspected. What the processor throws stays
 * within, too: it is no reason for a job to fail, nor for the other processors to be passed over.
 */
export class OpaqueSpanProcessor implements SpanProcessor {
  readonly #hidden: SpanProcessor;

  constructor(hidden: SpanProcessor) {
    this.#hidden = hidden;
  }

  onStart(span: Span, parentContext: Context): void {
    this.#attempt(() => this.#hidden.onStart(span, parentContext));
  }

  onEnd(span: ReadableSpan): void {
    this.#attempt(() => this.#hidden.onEnd(span));
  }

  async forceFlush(): Promise<void> {
    await this.#attempt(() => this.#hidden.forceFlush());
  }

  async shutdown(): Promise<void> {
    await this.#attempt(() => this.#hidden.shutdown());
  }

  async #attempt(step: () => void | Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      diag.error(`a span processor failed: ${describe(error)}`);
    }
  }
}
