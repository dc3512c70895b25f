import { validateHeaderName, validateHeaderValue } from "node:http";
import { describe } from "@nidus/jobs-core";
import type { Tracer } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import type { OtelPipeline } from "../pipeline.ts";
import type { ServiceIdentity } from "../service-identity.ts";
import { version } from "../version.ts";
import { bounded } from "./bounded.ts";
import { ensureContextManager } from "./context-manager.ts";
import { DiscreetSpanExporter } from "./discreet-span-exporter.ts";
import { tracesUrl } from "./endpoint.ts";
import { OpaqueSpanProcessor } from "./opaque-span-processor.ts";

/** Whose spans they are, and where they go. */
export interface OtelPipelineOptions extends ServiceIdentity {
  /**
   * Base URL of an OTLP/HTTP collector, to which `/v1/traces` is appended. Plain http only to this machine.
   * @default OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, taken as it is, or OTEL_EXPORTER_OTLP_ENDPOINT
   */
  readonly endpoint?: string | undefined;
  /** Sent with every export, such as an API key. Never printed. @default OTEL_EXPORTER_OTLP_HEADERS */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The share of traces that is kept, from 0 to 1, unless their parent says otherwise. @default OTEL_TRACES_SAMPLER, or all */
  readonly sampleRatio?: number | undefined;
  /** How many ended spans wait for export at most; further ones are dropped. @default 2048 */
  readonly maxQueueSize?: number | undefined;
  /** How long one export may take, in milliseconds. @default 10000 */
  readonly exportTimeoutMs?: number | undefined;
  /**
   * How long `forceFlush` and `shutdown` may take, in milliseconds. An export under way keeps the process alive up to
   * `exportTimeoutMs`, also after that. @default 5000
   */
  readonly flushTimeoutMs?: number | undefined;
  /** Get every sampled span beside the export, or in its place: with these an endpoint is not needed. @default none */
  readonly spanProcessors?: readonly SpanProcessor[] | undefined;
}

/**
 * A pipeline on the OpenTelemetry SDK: parent-based sampling, a bounded buffer, OTLP over HTTP/protobuf. A collector that is
 * dead, slow or hanging costs spans, never a job. It registers an AsyncLocalStorage context manager where none is
 * registered, and no global tracer provider.
 *
 * @throws Error if there is nowhere to send spans; TypeError or RangeError for an option that is not as documented.
 */
export function otelPipeline(options: OtelPipelineOptions): OtelPipeline {
  const { maxQueueSize = 2_048, exportTimeoutMs = 10_000, flushTimeoutMs = 5_000, sampleRatio } = options;
  if (typeof options.serviceName !== "string" || options.serviceName === "") {
    throw new TypeError(
      `expected \`serviceName\` to be a non-empty string, got ${describe(options.serviceName)}`,
    );
  }
  for (const [name, value] of Object.entries({ maxQueueSize, exportTimeoutMs, flushTimeoutMs })) {
    if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 31 - 1) {
      throw new RangeError(
        `expected \`${name}\` to be a whole number from 1 to 2147483647, got ${describe(value)}`,
      );
    }
  }
  if (
    sampleRatio !== undefined &&
    !(typeof sampleRatio === "number" && sampleRatio >= 0 && sampleRatio <= 1)
  ) {
    throw new RangeError(`expected \`sampleRatio\` to be a number from 0 to 1, got ${describe(sampleRatio)}`);
  }
  const processors = processorsOf(options, maxQueueSize, exportTimeoutMs);
  ensureContextManager();
  const provider = new BasicTracerProvider({
    resource: resourceOf(options),
    spanProcessors: processors,
    ...(sampleRatio === undefined
      ? {}
      : { sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }) }),
  });
  return new SdkPipeline(provider, flushTimeoutMs);
}

class SdkPipeline implements OtelPipeline {
  readonly tracer: Tracer;
  readonly tracerProvider: BasicTracerProvider;
  readonly #flushTimeoutMs: number;
  #shutdown: Promise<void> | undefined;

  constructor(provider: BasicTracerProvider, flushTimeoutMs: number) {
    this.tracerProvider = provider;
    this.tracer = provider.getTracer("@nidus/jobs-otel", version);
    this.#flushTimeoutMs = flushTimeoutMs;
  }

  async forceFlush(): Promise<void> {
    if (this.#shutdown !== undefined) return this.#shutdown;
    await bounded(this.tracerProvider.forceFlush(), this.#flushTimeoutMs);
  }

  shutdown(): Promise<void> {
    this.#shutdown ??= bounded(this.tracerProvider.shutdown(), this.#flushTimeoutMs);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

function processorsOf(
  options: OtelPipelineOptions,
  maxQueueSize: number,
  exportTimeoutMs: number,
): SpanProcessor[] {
  const { endpoint, headers, spanProcessors = [] } = options;
  const processors: SpanProcessor[] = spanProcessors.map((processor) => new OpaqueSpanProcessor(processor));
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT } = process.env;
  if (
    processors.length > 0 &&
    !(endpoint ?? (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || OTEL_EXPORTER_OTLP_ENDPOINT))
  ) {
    return processors;
  }
  const url = tracesUrl(endpoint, process.env);
  // As a function, so that no object holds the values.
  const config = headers === undefined ? {} : { headers: headersOf(headers) };
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs, ...config });
  const batches = new BatchSpanProcessor(new DiscreetSpanExporter(exporter), {
    maxQueueSize,
    maxExportBatchSize: Math.min(512, maxQueueSize),
    exportTimeoutMillis: exportTimeoutMs,
  });
  processors.push(new OpaqueSpanProcessor(batches));
  return processors;
}

/** @throws TypeError that names a header at most: Node's own message is about the name, or would show the value. */
function headersOf(headers: Readonly<Record<string, string>>): () => Promise<Record<string, string>> {
  const copy = { ...headers };
  for (const [name, value] of Object.entries(copy)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      // Node would take a number or a list, and write it as it sees fit.
      if (typeof value !== "string") throw new TypeError("not a string");
    } catch {
      throw new TypeError(
        `expected the header ${describe(name)} to have a name and a value that HTTP allows`,
      );
    }
  }
  return async () => ({ ...copy });
}

function resourceOf({ serviceName, serviceVersion, environment }: ServiceIdentity): Resource {
  return defaultResource()
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(
      resourceFromAttributes({
        "service.name": serviceName,
        ...(serviceVersion === undefined ? {} : { "service.version": serviceVersion }),
        ...(environment === undefined ? {} : { "deployment.environment.name": environment }),
      }),
    );
}
