export { unixTimeMs } from "./context/clock.ts";
export { monotonicMsOf, startedContext } from "./context/context.ts";
export { requireObjectives } from "./context/objectives.ts";
export { durationBoundsSeconds, jobMetricHelp } from "./job-metrics.ts";
export { OpenRuns } from "./observers/open-runs.ts";
export { requireProgress, tellProgress } from "./observers/progress.ts";
