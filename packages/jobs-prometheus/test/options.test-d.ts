import type { JobObserver } from "@nidus/jobs-observe";
import { type OpenMetricsContentType, Registry } from "prom-client";
import { expectTypeOf } from "vitest";
import {
  type PrometheusJobObserver,
  type PrometheusJobObserverOptions,
  prometheusJobObserver,
  requirePrometheusJobObserverOptions,
} from "../src/index.ts";

declare const openMetrics: Registry<OpenMetricsContentType>;

expectTypeOf<PrometheusJobObserver>().toExtend<JobObserver>();
expectTypeOf(prometheusJobObserver()).toEqualTypeOf<PrometheusJobObserver>();
expectTypeOf(prometheusJobObserver({ registry: openMetrics }).registry).toEqualTypeOf<Registry>();
prometheusJobObserver({ registry: new Registry(), maxSeries: undefined });
// @ts-expect-error buckets are numbers of seconds
prometheusJobObserver({ buckets: ["1s"] });

// Checked options are options again.
expectTypeOf(requirePrometheusJobObserverOptions({})).toEqualTypeOf<PrometheusJobObserverOptions>();
prometheusJobObserver(requirePrometheusJobObserverOptions({ jobs: ["send_digest"] }));
