import type { Tracer, TracerProvider } from "@opentelemetry/api";

/** Sends spans to a collector. Shut it down before the process exits. */
export interface OtelPipeline extends AsyncDisposable {
  /** The tracer of job spans. */
  readonly tracer: Tracer;
  /** For the application's own spans in the same pipeline, for example with `trace.setGlobalTracerProvider`. */
  readonly tracerProvider: TracerProvider;
  /** How many sampled spans were lost so far: the buffer was full, the pipeline had ended, or their export failed. */
  readonly droppedSpans: number;
  /** Sends the buffered spans. Resolves in bounded time, whether that worked or not. You may call it again. */
  forceFlush(): Promise<void>;
  /**
   * Sends the buffered spans and ends the pipeline. Resolves in bounded time, whether that worked or not. You may call
   * it again.
   */
  shutdown(): Promise<void>;
}
