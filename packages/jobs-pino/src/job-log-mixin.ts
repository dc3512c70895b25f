import { requireFunction, requireKnownKeys } from "@nidus/jobs-core/adapter";
import { currentJob } from "@nidus/jobs-observe";

/** Where the ids of the trace come from. */
export interface JobLogMixinOptions {
  /**
   * The context of the active span, such as OpenTelemetry's `() => trace.getActiveSpan()?.spanContext()`. What it throws
   * comes out of the call that logs. @default none, and lines carry no `trace_id` and `span_id`
   */
  readonly spanContext?:
    | (() => { readonly traceId: string; readonly spanId: string } | undefined)
    | undefined;
}

/**
 * A function for pino's option `mixin`: puts `job_name`, `run_id`, `trace_id` and `span_id` on every line that is logged inside a
 * run, also after awaits, and nothing on others. The run's runner needs a `currentJobObserver()` of `@nidus/jobs-observe`.
 * It is called for lines that are written, and makes the run id then.
 *
 * @throws TypeError for an option that is not as documented.
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
