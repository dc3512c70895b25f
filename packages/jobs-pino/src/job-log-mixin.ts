import { requireFunction, requireKnownKeys } from "@nidus/jobs-core/adapter";
import { currentJob } from "@nidus/jobs-observe";

/** How lines get the ids of their trace. */
export interface JobLogMixinOptions {
  /**
   * Returns the context of the active span, for example OpenTelemetry's `() => trace.getActiveSpan()?.spanContext()`.
   * If it throws, the call that logs throws. @default none: lines carry no `trace_id` and `span_id`
   */
  readonly spanContext?:
    | (() => { readonly traceId: string; readonly spanId: string } | undefined)
    | undefined;
}

/**
 * Makes a function for pino's option `mixin`. It puts `job_name`, `run_id`, `trace_id` and `span_id` on every line that
 * is logged inside a run, also after awaits, and nothing on other lines.
 *
 * The run's runner needs a `currentJobObserver()` of `@nidus/jobs-observe`. pino calls the function only for lines that
 * it writes; that makes the run id.
 *
 * @throws TypeError for an invalid option.
 */
export function jobLogMixin(options: JobLogMixinOptions = {}): () => object {
  requireKnownKeys("the options of jobLogMixin", options, ["spanContext"]);
  const { spanContext } = options;
  if (spanContext !== undefined) requireFunction("`spanContext`", spanContext);
  return () => {
    const run = currentJob();
    // A new object each time: pino writes into it.
    if (run === undefined) return {};
    const span = spanContext?.();
    return { job_name: run.jobName, run_id: run.runId, trace_id: span?.traceId, span_id: span?.spanId };
  };
}
