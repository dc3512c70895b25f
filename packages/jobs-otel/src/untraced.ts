import type { JobObserver } from "@nidus/jobs-observe";
import { type Context, context, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";

/** The key that tells the SDK not to trace, as in @opentelemetry/core. Keys of the same name are equal. */
const suppressTracing = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

const untracedContext = ROOT_CONTEXT.setValue(suppressTracing, true);

/**
 * Runs jobs outside of every trace. No instrumentation makes spans there: not for their work, nor for the timers and
 * connections that they leave behind.
 */
export const untraced: JobObserver = {
  runInScope: (_job, run) => context.with(untracedContext, run),
};

/** Allows spans again, for the jobs that an engine delivers although its own loop makes none. */
export function traced(active: Context): Context {
  return active.getValue(suppressTracing) === true ? active.deleteValue(suppressTracing) : active;
}
