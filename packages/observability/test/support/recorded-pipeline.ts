import type { OtelPipeline, ServiceIdentity } from "@nidus/jobs-otel";
import { BasicTracerProvider, type ReadableSpan, type SpanProcessor } from "@opentelemetry/sdk-trace-base";

/** Keeps ended spans. */
export class SpanRecorder implements SpanProcessor {
  readonly finished: ReadableSpan[] = [];

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    this.finished.push(span);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** Makes a pipeline that keeps its spans and records its calls. */
export class RecordedPipeline implements OtelPipeline {
  readonly spans: SpanRecorder = new SpanRecorder();
  readonly calls: string[] = [];
  readonly droppedSpans = 0;
  readonly tracerProvider: BasicTracerProvider = new BasicTracerProvider({ spanProcessors: [this.spans] });
  readonly tracer: OtelPipeline["tracer"] = this.tracerProvider.getTracer("test");

  async forceFlush(): Promise<void> {
    this.calls.push("forceFlush");
  }

  async shutdown(): Promise<void> {
    this.calls.push("shutdown");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

export interface PipelineMaker {
  (service: ServiceIdentity): OtelPipeline;
  readonly services: readonly ServiceIdentity[];
  readonly pipelines: readonly RecordedPipeline[];
}

/** Replaces `otelPipeline`: it records its arguments and results. */
export function pipelineMaker(): PipelineMaker {
  const services: ServiceIdentity[] = [];
  const pipelines: RecordedPipeline[] = [];
  const make = (service: ServiceIdentity): OtelPipeline => {
    services.push(service);
    const pipeline = new RecordedPipeline();
    pipelines.push(pipeline);
    return pipeline;
  };
  return Object.assign(make, { services, pipelines });
}
