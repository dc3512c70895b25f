import { validateHeaderName, validateHeaderValue } from "node:http";
import { formatValue } from "@nidus/jobs-core/adapter";
import { ProxyTracerProvider, type Tracer } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import type { OtelPipeline } from "../pipeline.ts";
import type { ServiceIdentity } from "../service-identity.ts";
import { version } from "../version.ts";
import { bounded } from "./bounded.ts";
import { ensureContextManager } from "./context-manager.ts";
import { tracesUrl } from "./endpoint.ts";
import { checkProtocol, isExportDisabled, isSdkDisabled } from "./environment.ts";
import { ExportingSpanProcessor } from "./exporting-span-processor.ts";
import { OpaqueSpanProcessor } from "./opaque-span-processor.ts";
import { type OtelPipelineOptions, type PipelineSettings, settingsOf } from "./options.ts";
import { samplerOf } from "./sampler.ts";
import { spanLimitsOf } from "./span-limits.ts";

/**
 * Makes a pipeline on the OpenTelemetry SDK: parent-based sampling, a bounded buffer, OTLP over HTTP/protobuf. A
 * collector that is dead, slow or hanging costs spans, never a job.
 *
 * Registers an AsyncLocalStorage context manager if none is registered, and no global tracer provider. Options win over
 * the standard environment variables, with two exceptions: `OTEL_SDK_DISABLED=true` makes no spans, and
 * `OTEL_TRACES_EXPORTER=none` sends none.
 *
 * @throws Error if there is nowhere to send spans; TypeError or RangeError for an invalid option.
 */
export function otelPipeline(options: OtelPipelineOptions): OtelPipeline {
  const { env } = process;
  const settings = settingsOf(options, env);
  if (isSdkDisabled(env)) return new DisabledPipeline();
  const exporting = isExportDisabled(env) ? undefined : exportingOf(options, settings);
  ensureContextManager();
  const processors = [...(options.spanProcessors ?? []), ...(exporting === undefined ? [] : [exporting])];
  const provider = new TracerProvider({
    resource: resourceOf(options),
    spanProcessors: processors.map((processor) => new OpaqueSpanProcessor(processor)),
    sampler: samplerOf(options.sampleRatio, env),
    spanLimits: spanLimitsOf(env),
  });
  return new SdkPipeline(provider, exporting, settings.flushTimeoutMs);
}

class SdkPipeline implements OtelPipeline {
  readonly tracer: Tracer;
  readonly tracerProvider: TracerProvider;
  readonly #exporting: ExportingSpanProcessor | undefined;
  readonly #flushTimeoutMs: number;
  #shutdown: Promise<void> | undefined;

  constructor(
    provider: TracerProvider,
    exporting: ExportingSpanProcessor | undefined,
    flushTimeoutMs: number,
  ) {
    this.tracerProvider = provider;
    this.tracer = provider.getTracer("@nidus/jobs-otel", version);
    this.#exporting = exporting;
    this.#flushTimeoutMs = flushTimeoutMs;
  }

  get droppedSpans(): number {
    return this.#exporting?.droppedSpans ?? 0;
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

/** Makes spans that record nothing and keep the ids of their parents, like the API without an SDK. */
class DisabledPipeline implements OtelPipeline {
  readonly tracerProvider: ProxyTracerProvider = new ProxyTracerProvider();
  readonly tracer: Tracer = this.tracerProvider.getTracer("@nidus/jobs-otel", version);
  readonly droppedSpans = 0;

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Returns undefined if the spans need no export: processors get them, and no endpoint is set. */
function exportingOf(
  { endpoint, headers, allowInsecure = false, spanProcessors = [] }: OtelPipelineOptions,
  { batches, requestTimeoutMs }: PipelineSettings,
): ExportingSpanProcessor | undefined {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT } = process.env;
  if (
    spanProcessors.length > 0 &&
    !(endpoint ?? (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || OTEL_EXPORTER_OTLP_ENDPOINT))
  ) {
    return undefined;
  }
  checkProtocol(process.env);
  const url = tracesUrl(endpoint, process.env, allowInsecure);
  // A function, so that no object holds the values.
  const config = headers === undefined ? {} : { headers: headersOf(headers) };
  return new ExportingSpanProcessor(
    new OTLPTraceExporter({ url, timeoutMillis: requestTimeoutMs, ...config }),
    batches,
  );
}

/** @throws TypeError that shows a header's name at most: Node's own message may show the value. */
function headersOf(headers: Readonly<Record<string, string>>): () => Promise<Record<string, string>> {
  // A spread would take no header from a Map or a `Headers`.
  if (typeof headers !== "object" || headers === null || Symbol.iterator in headers) {
    throw new TypeError("expected `headers` to be a plain object of names and values");
  }
  const copy = { ...headers };
  for (const [name, value] of Object.entries(copy)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      // Node would accept a number or a list, and convert it.
      if (typeof value !== "string") throw new TypeError("not a string");
    } catch {
      throw new TypeError(
        `expected the header ${formatValue(name)} to have a name and a value that HTTP allows`,
      );
    }
  }
  // Exporters older than 0.208 do not call the function, but read its properties.
  return Object.defineProperties(async () => ({ ...copy }), Object.getOwnPropertyDescriptors(copy));
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
