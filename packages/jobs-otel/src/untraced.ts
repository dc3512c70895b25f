import type { JobObserver } from "@nidus/jobs-observe";
import { type Context, context, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";

/** The key by which the SDK knows that nothing is to be traced, as in @opentelemetry/core. Keys of one name are the same. */
const suppressTracing = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

const untracedContext = ROOT_CONTEXT.setValue(suppressTracing, true);

/**
 * Runs jobs outside of every trace, where no instrumentation makes spans: neither of what they do, nor of timers and connections
 * that they leave behind.
 */
export const untraced: JobObserver = {
  runInScope: (_job, run) => context.with(untracedContext, run),
};

/** Lets spans be made again: for what an engine delivers, although its own loop makes none. */
export function traced(active: Context): Context {
  return active.getValue(suppressTracing) === true ? active.deleteValue(suppressTracing) : active;
}
