export { unixTimeMs } from "./context/clock.ts";
export { monotonicMsOf } from "./context/context.ts";
export { durationBoundsSeconds, jobMetricHelp } from "./job-metrics.ts";
