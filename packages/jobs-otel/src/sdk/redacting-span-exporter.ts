import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";

/** `ExportResultCode.SUCCESS` of @opentelemetry/core. */
const success = 0;

type ResultCallback = Parameters<SpanExporter["export"]>[1];

/**
 * Hides the answer of a collector to a failed export: it may repeat the key that it refuses, and the SDK logs the whole
 * error. Reports only the status, if there is one. Counts spans.
 */
export class RedactingSpanExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  /** How many spans it received. */
  takenSpans = 0;
  /** How many of them could not be sent. */
  failedSpans = 0;

  constructor(exporter: SpanExporter) {
    this.#exporter = exporter;
  }

  export(spans: ReadableSpan[], onResult: ResultCallback): void {
    this.takenSpans += spans.length;
    this.#exporter.export(spans, ({ code, error }) => {
      if (code !== success) this.failedSpans += spans.length;
      if (error === undefined) return onResult({ code });
      const { code: status } = error as { code?: unknown };
      const reason = typeof status === "number" || typeof status === "string" ? ` (${status})` : "";
      onResult({ code, error: new Error(`${spans.length} spans could not be exported${reason}`) });
    });
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}
