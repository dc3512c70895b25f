export { type PrometheusJobObserverOptions, requirePrometheusJobObserverOptions } from "./options.ts";
export { type PrometheusJobObserver, prometheusJobObserver } from "./prometheus-job-observer.ts";
