import type { Tracer, TracerProvider } from "@opentelemetry/api";

/** Somewhere for spans to go, with an end that has to be reached before a process exits. */
export interface OtelPipeline extends AsyncDisposable {
  /** The tracer of job spans. */
  readonly tracer: Tracer;
  /** For the application's own spans in the same pipeline, such as by `trace.setGlobalTracerProvider`. */
  readonly tracerProvider: TracerProvider;
  /** How many sampled spans were lost so far: the buffer was full, the pipeline had ended, or their export failed. */
  readonly droppedSpans: number;
  /** Sends what is buffered. Resolves in bounded time, whether that worked or not; may be repeated. */
  forceFlush(): Promise<void>;
  /** Sends what is buffered and ends. Resolves in bounded time, whether that worked or not; may be repeated. */
  shutdown(): Promise<void>;
}
