import type { JobError } from "@nidus/jobs-core";
import {
  cutText,
  invalidArgument,
  requireBoolean,
  requireKnownKeys,
  requireOneOf,
  requireWholeNumber,
} from "@nidus/jobs-core/adapter";
import type { JobObserver, ObservedJobContext } from "@nidus/jobs-observe";
import { OpenRuns } from "@nidus/jobs-observe/adapter";
import {
  type Context,
  type Link,
  context as otelContext,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { errorTypeOf, stackOf } from "./error-type.ts";
import { jobSpanConvention, requireConvention, type SpanConvention } from "./semantic-conventions.ts";
import { readTraceHeaders, writeTraceHeaders } from "./trace-headers.ts";
import { traced, untraced } from "./untraced.ts";
import { version } from "./version.ts";

/** How job runs become spans. */
export interface OtelJobObserverOptions {
  /** Makes the spans. @default the tracer of the application's own OpenTelemetry set-up */
  readonly tracer?: Tracer | undefined;
  /** Whether spans carry the messages and stacks of errors. They always carry the error types. @default true */
  readonly recordErrorMessage?: boolean | undefined;
  /**
   * How many characters of an error's message, stack and type a span carries: a whole number from 1. Longer texts are cut.
   * @default 4096
   */
  readonly maxErrorLength?: number | undefined;
  /**
   * How the span of a delivered run relates to the span that enqueued the job:
   * - `"link"`: it links to that span.
   * - `"parent"`: it is a child of that span, in the same trace.
   * - `"none"`: it ignores that span.
   * Unless `"parent"` applies, the span is a child of the span that is active when the run starts, such as one of
   * bullmq-otel. Without an active span it begins a new trace. @default "link"
   */
  readonly propagation?: "link" | "parent" | "none" | undefined;
  /** The names and attributes of spans. @default jobSpanConvention */
  readonly convention?: SpanConvention | undefined;
}

/** The options, checked and complete. */
type Settings = {
  readonly [Option in keyof OtelJobObserverOptions]-?: NonNullable<OtelJobObserverOptions[Option]>;
};

const optionNames: readonly (keyof OtelJobObserverOptions)[] = [
  "tracer",
  "recordErrorMessage",
  "maxErrorLength",
  "propagation",
  "convention",
];

/**
 * Makes one span per run. The span is a child of the span that is active when the run starts. It is active itself while
 * the job runs, also across awaits if a context manager is registered. A failure sets its status to ERROR; a cancelled
 * run does not. The span of a job's further attempt has a link to the span of the attempt before, after the link to the
 * span that enqueued the job.
 *
 * A span costs as much as one written by hand, about 2 µs, most of it in the SDK. The SDK times the spans. Work that an
 * engine does on its own (polling, settling, renewing leases, maintenance) makes no spans, whatever instrumentation is
 * registered.
 *
 * @throws TypeError or RangeError for an invalid option.
 */
export function otelJobObserver(options: OtelJobObserverOptions = {}): JobObserver {
  const settings = settingsFrom(options);
  const { tracer, convention, maxErrorLength } = settings;
  const spans = new OpenRuns<Span>();

  return {
    runInScope(context, run) {
      const active = context.delivery === undefined ? otelContext.active() : traced(otelContext.active());
      const span = startSpan(settings, context, active);
      // A span that records nothing needs no end.
      if (span.isRecording()) {
        // First of all: once the span is known, it is ended, whatever throws from here on.
        spans.add(context, span);
        span.setAttributes(convention.recordedRunAttributes(context));
      }
      return otelContext.with(trace.setSpan(active, span), run);
    },

    onJobFinished(context, status, error) {
      const span = spans.take(context);
      if (span === undefined) return;
      try {
        if (!span.isRecording()) return;
        const failure = status === "failure" ? error : undefined;
        const errorType = failure && cutText(errorTypeOf(failure), maxErrorLength);
        if (failure !== undefined) recordFailure(settings, span, failure, errorType as string);
        span.setAttributes(convention.endAttributes(status, errorType));
        const next = status === "success" ? undefined : context.delivery?.nextCarrier;
        if (next !== undefined) writeTraceHeaders(trace.setSpan(ROOT_CONTEXT, span), next);
      } finally {
        span.end();
      }
    },

    onEngineOpened: (engine) => engine.observeBookkeeping(untraced),

    onJobEnqueued(context) {
      const active = otelContext.active();
      const span = tracer.startSpan(
        convention.enqueueName(context),
        { kind: SpanKind.PRODUCER, attributes: convention.enqueueAttributes(context) },
        active,
      );
      try {
        writeTraceHeaders(trace.setSpan(active, span), context.carrier);
      } finally {
        span.end();
      }
    },
  };
}

/** Checks the options and adds the defaults. */
function settingsFrom(options: OtelJobObserverOptions): Settings {
  requireKnownKeys("the options of otelJobObserver", options, optionNames);
  const {
    tracer = trace.getTracer("@nidus/jobs-otel", version),
    recordErrorMessage = true,
    maxErrorLength = 4_096,
    propagation = "link",
    convention = jobSpanConvention,
  } = options;
  if (typeof tracer?.startSpan !== "function") {
    throw invalidArgument("`tracer`", "an OpenTelemetry tracer", tracer);
  }
  requireConvention(convention);
  requireOneOf("`propagation`", propagation, ["link", "parent", "none"]);
  requireBoolean("`recordErrorMessage`", recordErrorMessage);
  requireWholeNumber("`maxErrorLength`", maxErrorLength);
  return { tracer, recordErrorMessage, maxErrorLength, propagation, convention };
}

function recordFailure(
  { recordErrorMessage, maxErrorLength }: Settings,
  span: Span,
  error: JobError,
  errorType: string,
): void {
  if (!recordErrorMessage) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.addEvent("exception", { "exception.type": errorType });
    return;
  }
  const message = cutText(error.message, maxErrorLength);
  const stack = cutText(stackOf(error), maxErrorLength);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.recordException({ name: errorType, message, stack });
}

function startSpan(
  { tracer, convention, propagation }: Settings,
  context: ObservedJobContext,
  active: Context,
): Span {
  const { delivery } = context;
  const name = convention.runName(context);
  const attributes = convention.runAttributes(context);
  if (delivery === undefined) {
    return tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes }, active);
  }
  const kind = SpanKind.CONSUMER;
  const producer = propagation === "none" ? undefined : readTraceHeaders(delivery.carrier);
  const previous = delivery.previousCarrier && readTraceHeaders(delivery.previousCarrier);
  if (producer !== undefined && propagation === "parent") {
    const links: Link[] = previous === undefined ? [] : [{ context: previous }];
    // Both hold if the active span is in the producer's trace, like the span of bullmq-otel.
    const isSameTrace = trace.getSpanContext(active)?.traceId === producer.traceId;
    if (isSameTrace && hasUnfinishedSpan(active))
      return tracer.startSpan(name, { kind, attributes, links }, active);
    return tracer.startSpan(name, { kind, attributes, links }, trace.setSpanContext(active, producer));
  }
  const links: Link[] = [];
  if (producer !== undefined) links.push({ context: producer });
  if (previous !== undefined) links.push({ context: previous });
  return tracer.startSpan(name, { kind, attributes, links, root: !hasUnfinishedSpan(active) }, active);
}

/**
 * Tells whether a delivery belongs to the active span. A worker's loop keeps the context in which it was started. A
 * local span that was recorded and has ended says nothing about later runs.
 */
function hasUnfinishedSpan(active: Context): boolean {
  const span = trace.getSpan(active);
  if (span === undefined) return false;
  const { isRemote = false, traceFlags } = span.spanContext();
  return isRemote || span.isRecording() || (traceFlags & TraceFlags.SAMPLED) === 0;
}
