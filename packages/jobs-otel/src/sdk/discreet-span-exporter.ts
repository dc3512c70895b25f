import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";

type ResultCallback = Parameters<SpanExporter["export"]>[1];

/**
 * Keeps to itself what a collector answered to an export that failed: it may repeat the key that it refuses, and the SDK logs
 * all of the error. The status, where there is one, is told.
 */
export class DiscreetSpanExporter implements SpanExporter {
  readonly #exporter: SpanExporter;

  constructor(exporter: SpanExporter) {
    this.#exporter = exporter;
  }

  export(spans: ReadableSpan[], onResult: ResultCallback): void {
    this.#exporter.export(spans, ({ code, error }) => {
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
