export type { PrometheusJobObserverOptions } from "./options.ts";
export { type PrometheusJobObserver, prometheusJobObserver } from "./prometheus-job-observer.ts";

// For authors of set-ups that make the observer later.

export { requirePrometheusJobObserverOptions } from "./options.ts";
