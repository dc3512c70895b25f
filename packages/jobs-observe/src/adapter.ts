export { unixTimeMs } from "./clock.ts";
export { monotonicMsOf } from "./context.ts";
export { durationBoundsSeconds, jobMetricHelp } from "./job-metrics.ts";
