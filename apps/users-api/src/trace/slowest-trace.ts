import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";

/** How many spans of a trace to keep. */
const maxSpans = 100;

/** Keeps the spans of the slowest ended trace, and of the traces that have not ended yet. */
export class SlowestTrace implements SpanProcessor {
  readonly #open = new Map<string, ReadableSpan[]>();
  #slowest: readonly ReadableSpan[] = [];
  #slowestMs = -1;

  /** The slowest trace, in the order in which its spans started. */
  get spans(): readonly ReadableSpan[] {
    return [...this.#slowest].sort(
      (a, b) => milliseconds(a.startTime) - milliseconds(b.startTime) || depth(a) - depth(b),
    );
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const spans = this.#open.get(traceId) ?? [];
    const isRoot = span.parentSpanContext === undefined;
    if (spans.length < maxSpans) spans.push(span);
    else if (isRoot) spans[maxSpans - 1] = span;
    if (!isRoot) {
      this.#open.set(traceId, spans);
      return;
    }
    this.#open.delete(traceId);
    const durationMs = milliseconds(span.duration);
    if (durationMs > this.#slowestMs) {
      this.#slowest = spans;
      this.#slowestMs = durationMs;
    }
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** Converts a time of the SDK, which is seconds and nanoseconds. */
export function milliseconds([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

/** Puts a root before its children if both started at the same time. */
function depth(span: ReadableSpan): number {
  return span.parentSpanContext === undefined ? 0 : 1;
}
