import type { JobObserver } from "@nidus/jobs-observe";
import { context, createContextKey } from "@opentelemetry/api";

/** The key by which the SDK knows that nothing is to be traced, as in @opentelemetry/core. Keys of one name are the same. */
const suppressTracing = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

/** Runs jobs where no instrumentation makes spans: neither of what they do, nor of timers and connections that they leave behind. */
export const untraced: JobObserver = {
  runInScope: (_job, run) => context.with(context.active().setValue(suppressTracing, true), run),
};
