import { inspect } from "node:util";
import type { HrTime, Tracer } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";

/** Keeps ended spans, and counts unended ones. */
export class SpanRecorder implements SpanProcessor {
  readonly finished: ReadableSpan[] = [];
  openCount = 0;

  onStart(): void {
    this.openCount++;
  }

  onEnd(span: ReadableSpan): void {
    this.openCount--;
    this.finished.push(span);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  all(name: string): ReadableSpan[] {
    return this.finished.filter((span) => span.name === name);
  }

  only(name: string): ReadableSpan {
    const [span, ...others] = this.all(name);
    if (span === undefined || others.length > 0) {
      throw new Error(`expected one span "${name}", got ${this.finished.map((other) => other.name)}`);
    }
    return span;
  }
}

export interface Recording {
  readonly provider: BasicTracerProvider;
  readonly tracer: Tracer;
  readonly spans: SpanRecorder;
}

export function recordSpans(sampler?: Sampler): Recording {
  const spans = new SpanRecorder();
  const provider = new BasicTracerProvider({
    spanProcessors: [spans],
    ...(sampler === undefined ? {} : { sampler }),
  });
  return { provider, tracer: provider.getTracer("test"), spans };
}

export function millisecondsBetween([fromSeconds, fromNanos]: HrTime, [seconds, nanos]: HrTime): number {
  return (seconds - fromSeconds) * 1000 + (nanos - fromNanos) / 1e6;
}

/** Returns all text that can be read from a value: its JSON, and the output of the inspector. */
export function textOf(value: unknown): string {
  return [JSON.stringify(value, cycleGuard()), inspect(value, everything), inspect(value, uncustomised)].join(
    "\n",
  );
}

const everything = {
  depth: Number.POSITIVE_INFINITY,
  maxArrayLength: Number.POSITIVE_INFINITY,
  maxStringLength: Number.POSITIVE_INFINITY,
  showHidden: true,
};

const uncustomised = { ...everything, customInspect: false };

function cycleGuard(): (key: string, value: unknown) => unknown {
  const seen = new Set<unknown>();
  return (_key, value) => {
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return undefined;
    seen.add(value);
    return value;
  };
}
