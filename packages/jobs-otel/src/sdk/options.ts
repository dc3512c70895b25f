import {
  invalidArgument,
  propertyOf,
  requireBoolean,
  requireKnownKeys,
  requireText,
} from "@nidus/jobs-core/adapter";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import type { ServiceIdentity } from "../service-identity.ts";
import { maxWholeNumber, wholeNumberOf } from "./environment.ts";
import type { BatchSettings } from "./exporting-span-processor.ts";

/** Which service the spans belong to, and where they are sent. */
export interface OtelPipelineOptions extends ServiceIdentity {
  /**
   * Base URL of an OTLP/HTTP collector. `/v1/traces` is appended, so the URL may not end with it. Plain http needs
   * `allowInsecure` unless the collector runs on this machine.
   * @default OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it is, or OTEL_EXPORTER_OTLP_ENDPOINT as a base URL
   */
  readonly endpoint?: string | undefined;
  /** Allows plain http to another machine, such as a collector in the same cluster. @default false */
  readonly allowInsecure?: boolean | undefined;
  /** Sent with every export, such as an API key. Never printed. @default OTEL_EXPORTER_OTLP_HEADERS */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The share of traces to keep, from 0 to 1, unless their parent decides. @default OTEL_TRACES_SAMPLER, or all */
  readonly sampleRatio?: number | undefined;
  /** How many ended spans may wait for export; further spans are dropped. @default OTEL_BSP_MAX_QUEUE_SIZE, or 2048 */
  readonly maxQueueSize?: number | undefined;
  /**
   * How long one export may take, in milliseconds.
   * @default OTEL_BSP_EXPORT_TIMEOUT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT, or 10000
   */
  readonly exportTimeoutMs?: number | undefined;
  /**
   * How long `forceFlush` and `shutdown` may take, in milliseconds. An export under way keeps the process alive for up
   * to `exportTimeoutMs`, even after that. @default 5000
   */
  readonly flushTimeoutMs?: number | undefined;
  /** Get every sampled span, beside the export or instead of it: with processors, no endpoint is needed. @default none */
  readonly spanProcessors?: readonly SpanProcessor[] | undefined;
}

const optionNames: readonly (keyof OtelPipelineOptions)[] = [
  "serviceName",
  "serviceVersion",
  "environment",
  "endpoint",
  "allowInsecure",
  "headers",
  "sampleRatio",
  "maxQueueSize",
  "exportTimeoutMs",
  "flushTimeoutMs",
  "spanProcessors",
];

/** The settings of the SDK: the options, completed by the standard environment variables. */
export interface PipelineSettings {
  readonly batches: BatchSettings;
  /** The limit of one HTTP request with its retries, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly flushTimeoutMs: number;
}

/**
 * Checks the options and completes them from the environment.
 *
 * @throws TypeError or RangeError that names the option, the expectation and the value received.
 */
export function settingsOf(options: OtelPipelineOptions, environment: NodeJS.ProcessEnv): PipelineSettings {
  requireKnownKeys("the options of otelPipeline", options, optionNames);
  const {
    serviceName,
    serviceVersion,
    environment: deployment,
    sampleRatio,
    allowInsecure,
    maxQueueSize,
    exportTimeoutMs,
    flushTimeoutMs = 5_000,
    spanProcessors = [],
  } = options;
  requireText("`serviceName`", serviceName);
  if (serviceVersion !== undefined) requireText("`serviceVersion`", serviceVersion);
  if (deployment !== undefined) requireText("`environment`", deployment);
  for (const [name, value] of Object.entries({ maxQueueSize, exportTimeoutMs, flushTimeoutMs })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1 || value > maxWholeNumber)) {
      throw invalidArgument(`\`${name}\``, `a whole number from 1 to ${maxWholeNumber}`, value, RangeError);
    }
  }
  if (
    sampleRatio !== undefined &&
    !(typeof sampleRatio === "number" && sampleRatio >= 0 && sampleRatio <= 1)
  ) {
    throw invalidArgument("`sampleRatio`", "a number from 0 to 1", sampleRatio, RangeError);
  }
  if (allowInsecure !== undefined) requireBoolean("`allowInsecure`", allowInsecure);
  if (!Array.isArray(spanProcessors) || ![...spanProcessors].every(isSpanProcessor)) {
    throw invalidArgument("`spanProcessors`", "an array of OpenTelemetry span processors", spanProcessors);
  }
  const variable = (name: string, least = 1): number | undefined => wholeNumberOf(environment, name, least);
  const queueSize = maxQueueSize ?? variable("OTEL_BSP_MAX_QUEUE_SIZE") ?? 2_048;
  const batchTimeoutMs = exportTimeoutMs ?? variable("OTEL_BSP_EXPORT_TIMEOUT");
  const requestTimeoutMs =
    exportTimeoutMs ??
    variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT") ??
    variable("OTEL_EXPORTER_OTLP_TIMEOUT") ??
    batchTimeoutMs ??
    10_000;
  return {
    batches: {
      maxQueueSize: queueSize,
      maxExportBatchSize: Math.min(variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") ?? 512, queueSize),
      scheduledDelayMillis: variable("OTEL_BSP_SCHEDULE_DELAY", 0) ?? 5_000,
      exportTimeoutMillis: batchTimeoutMs ?? requestTimeoutMs,
    },
    requestTimeoutMs,
    flushTimeoutMs,
  };
}

function isSpanProcessor(value: unknown): boolean {
  return ["onStart", "onEnd"].every((method) => typeof propertyOf(value, method) === "function");
}
