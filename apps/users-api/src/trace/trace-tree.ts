import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { milliseconds } from "./slowest-trace.ts";

/** Renders a trace as a tree with one line per span: its name, its duration, and its start relative to the root. */
export function renderTrace(spans: readonly ReadableSpan[]): string {
  const root = spans.find((span) => span.parentSpanContext === undefined);
  if (root === undefined) return "no trace was kept";
  const lines: string[] = [`trace ${root.spanContext().traceId}`];
  const addLines = (span: ReadableSpan, indent: string, isLast: boolean): void => {
    const offsetMs = milliseconds(span.startTime) - milliseconds(root.startTime);
    const attributes = span === root ? ` ${JSON.stringify(span.attributes)}` : "";
    const times = `${milliseconds(span.duration).toFixed(1)} ms, +${offsetMs.toFixed(1)} ms`;
    lines.push(`${indent}${isLast ? "└─" : "├─"} ${span.name} (${times})${attributes}`);
    const children = spans.filter((other) => other.parentSpanContext?.spanId === span.spanContext().spanId);
    children.forEach((child, index) => {
      addLines(child, `${indent}${isLast ? "   " : "│  "}`, index === children.length - 1);
    });
  };
  addLines(root, "", true);
  return lines.join("\n");
}
