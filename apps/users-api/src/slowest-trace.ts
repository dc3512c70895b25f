import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";

/** Keeps the slowest trace that has steps below its root, and prints it as a tree. */
export class SlowestTrace implements SpanProcessor {
  /** The ended spans of traces whose root has not ended, by trace id. */
  readonly #open = new Map<string, ReadableSpan[]>();
  #slowest: { readonly root: ReadableSpan; readonly spans: readonly ReadableSpan[] } | undefined;

  onEnd(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const spans = this.#open.get(traceId) ?? [];
    spans.push(span);
    this.#open.set(traceId, spans);
    if (span.parentSpanContext !== undefined) return;
    this.#open.delete(traceId);
    const slowest = this.#slowest?.root;
    if (spans.length > 1 && milliseconds(span.duration) > milliseconds(slowest?.duration ?? [-1, 0]))
      this.#slowest = { root: span, spans };
  }

  onStart(): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  /** Renders a line per span: its name, its duration, and its start after the root. */
  toString(): string {
    if (this.#slowest === undefined) return "no run with steps has ended";
    const { root, spans } = this.#slowest;
    const startOf = (span: ReadableSpan): number =>
      milliseconds(span.startTime) - milliseconds(root.startTime);
    const linesOf = (span: ReadableSpan): string[] => {
      const times = `${milliseconds(span.duration).toFixed(1)} ms, +${startOf(span).toFixed(1)} ms`;
      const children = spans
        .filter(({ parentSpanContext }) => parentSpanContext?.spanId === span.spanContext().spanId)
        .sort((a, b) => startOf(a) - startOf(b));
      const below = children.flatMap((child, index) => branch(linesOf(child), index === children.length - 1));
      return [`${span.name} (${times})`, ...below];
    };
    const job = root.attributes["job.name"] ?? root.name;
    const heading = `trace ${root.spanContext().traceId} of ${job}: each span with its duration and start`;
    return [heading, ...branch(linesOf(root), true)].join("\n");
  }
}

/** Draws the lines of a child below its parent. */
function branch(lines: readonly string[], isLast: boolean): string[] {
  const [corner, indent] = isLast ? ["└─ ", "   "] : ["├─ ", "│  "];
  return lines.map((line, index) => (index === 0 ? corner : indent) + line);
}

/** Converts a time of the SDK, which is seconds and nanoseconds. */
function milliseconds([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1_000_000;
}
