/** Selects the series of the chosen services and jobs. */
export const jobs: string = 'job=~"$service",job_name=~"$job_name"';
/** Selects the series of the chosen services and engines. */
export const engines: string = 'job=~"$service",engine=~"$engine"';

/** Events per second, over the interval that Grafana chooses. */
export const rate = (metric: string, labels: string = jobs): string =>
  `rate(nidus_${metric}{${labels}}[$__rate_interval])`;
/** Ended runs per second whose status matches, such as `="failure"`. */
export const runs = (status: string): string => rate("jobs_finished_total", `${jobs},status${status}`);
/** Sums over the processes of a service. */
export const perJob = (expression: string): string => `sum by (job, job_name) (${expression})`;
/** Processes that share an engine report the same state of it. */
export const latest = (metric: string): string => `max by (job, job_name) (nidus_${metric}{${jobs}})`;
/** Seconds since a timestamp. */
export const age = (aggregation: "min" | "max", metric: string): string =>
  `time() - ${aggregation} by (job, job_name) (nidus_${metric}{${jobs}})`;
/** A quantile of a histogram, in seconds. */
export const quantile = (share: number, metric: string, labels: string = jobs): string =>
  `histogram_quantile(${share}, sum by (job, job_name, le) (${rate(`${metric}_bucket`, labels)}))`;
