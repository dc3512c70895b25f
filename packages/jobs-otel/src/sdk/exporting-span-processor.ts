import { type Context, TraceFlags } from "@opentelemetry/api";
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type Span,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace";
import { RedactingSpanExporter } from "./redacting-span-exporter.ts";

/** How spans are buffered and batched for export. */
export interface BatchSettings {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
}

/** Sends spans in batches, and counts the spans that it could not send. */
export class ExportingSpanProcessor implements SpanProcessor {
  readonly #exporter: RedactingSpanExporter;
  readonly #batches: BatchSpanProcessor;
  readonly #maxQueueSize: number;
  #accepted = 0;
  #refused = 0;
  #isShutDown = false;

  constructor(exporter: SpanExporter, settings: BatchSettings) {
    this.#exporter = new RedactingSpanExporter(exporter);
    this.#batches = new BatchSpanProcessor({ exporter: this.#exporter, ...settings });
    this.#maxQueueSize = settings.maxQueueSize;
  }

  get droppedSpans(): number {
    return this.#refused + this.#exporter.failedSpans;
  }

  onStart(span: Span, parentContext: Context): void {
    this.#batches.onStart(span, parentContext);
  }

  onEnd(span: ReadableSpan): void {
    if (span.spanContext().traceFlags & TraceFlags.SAMPLED) this.#count();
    this.#batches.onEnd(span);
  }

  /**
   * Applies the rule of the batch processor, which reports drops to a logger only: it drops spans while its queue is
   * full, and after its end.
   */
  #count(): void {
    const waiting = this.#accepted - this.#exporter.takenSpans;
    if (this.#isShutDown || waiting >= this.#maxQueueSize) this.#refused++;
    else this.#accepted++;
  }

  forceFlush(): Promise<void> {
    return this.#batches.forceFlush();
  }

  shutdown(): Promise<void> {
    this.#isShutDown = true;
    return this.#batches.shutdown();
  }
}
