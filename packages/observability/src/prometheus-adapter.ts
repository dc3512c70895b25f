import { type PrometheusJobObserverOptions, prometheusJobObserver } from "@nidus/jobs-prometheus";
import type { ObservabilityAdapter } from "./adapter.ts";

/**
 * Makes the adapter of a Prometheus observer. @throws TypeError or RangeError for an option that
 * `prometheusJobObserver` refuses.
 */
export function prometheusAdapter(options: PrometheusJobObserverOptions | undefined): ObservabilityAdapter {
  const observer = prometheusJobObserver(options);
  return {
    name: "prometheus",
    jobObserver: () => observer,
    metrics: () => observer.metrics(),
    get contentType() {
      return observer.registry.contentType;
    },
  };
}
