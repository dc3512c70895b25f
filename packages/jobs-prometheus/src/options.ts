import {
  invalidArgument,
  requireFunction,
  requireKnownKeys,
  requireWholeNumber,
} from "@nidus/jobs-core/adapter";
import type { ObservedJobContext } from "@nidus/jobs-observe";
import { durationBoundsSeconds } from "@nidus/jobs-observe/adapter";
import { Registry, type RegistryContentType } from "prom-client";
import { labelNamesOf, requirePrefix } from "./names.ts";

/** Which registry exposes the job metrics, and how they are counted. */
export interface PrometheusJobObserverOptions {
  /**
   * The prom-client registry that exposes the metrics, of any content type.
   * @default a new registry, of the OpenMetrics content type if `exemplars` is given
   */
  readonly registry?: Registry<RegistryContentType> | undefined;
  /** Begins every metric's name. Letters, digits and `_`: Prometheus keeps `:` for recording rules. @default "nidus_" */
  readonly prefix?: string | undefined;
  /** Upper bounds of the buckets of durations and waits, in seconds, rising. @default 16 bounds from 5 ms to an hour */
  readonly buckets?: readonly number[] | undefined;
  /**
   * How many label sets get series of their own: a whole number from 1. Without `attributeLabels`, each job name is one
   * label set. Further label sets are counted together as `<overflow>`. If observers share a registry, the limit of the
   * first holds. @default 1000
   */
  readonly maxSeries?: number | undefined;
  /**
   * Names of jobs whose counters exist at 0 before the first run. Engines and `runner.declare` add names of their own.
   * @default none
   */
  readonly jobs?: readonly string[] | undefined;
  /**
   * Context attributes that become labels. Characters that a label name cannot have become `_`, so `tenant.id` becomes
   * the label `tenant_id`. `job` and `instance` are refused: Prometheus sets these labels itself at a scrape. A run
   * without the attribute has an empty label. Each value multiplies the series. A value longer than 256 characters is
   * cut. @default none
   */
  readonly attributeLabels?: readonly string[] | undefined;
  /**
   * Returns the labels of the exemplar that a finished run leaves on its bucket, such as its trace id, or undefined for
   * none. Names and values may have 128 characters together. OpenMetrics registries only. Called once per finished run;
   * with a run id as a label, it costs about 0.8 µs (Node 20; see tools/bench).
   * @default no exemplars
   */
  readonly exemplars?: ((context: ObservedJobContext) => Record<string, string> | undefined) | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly registry: Registry<RegistryContentType>;
  readonly prefix: string;
  readonly buckets: readonly number[];
  readonly maxSeries: number;
  readonly jobs: readonly string[];
  readonly attributeLabels: ReadonlyMap<string, string>;
  readonly exemplars: PrometheusJobObserverOptions["exemplars"];
}

const optionNames: readonly (keyof PrometheusJobObserverOptions)[] = [
  "registry",
  "prefix",
  "buckets",
  "maxSeries",
  "jobs",
  "attributeLabels",
  "exemplars",
];

/**
 * Checks and completes the options.
 *
 * @throws TypeError or RangeError that names the option, the expectation and the value received.
 */
export function settingsOf(options: PrometheusJobObserverOptions): Settings {
  requireKnownKeys("the options of prometheusJobObserver", options, optionNames);
  const {
    prefix = "nidus_",
    buckets = durationBoundsSeconds,
    maxSeries = 1_000,
    jobs = [],
    attributeLabels = [],
    exemplars,
  } = options;
  requirePrefix(prefix);
  if (!Array.isArray(buckets) || buckets.length === 0 || ![...buckets].every(isFiniteAndAbovePrevious)) {
    throw invalidArgument("`buckets`", "finite numbers of seconds, rising", buckets);
  }
  requireWholeNumber("`maxSeries`", maxSeries);
  if (exemplars !== undefined) requireFunction("`exemplars`", exemplars);
  if (!Array.isArray(jobs) || ![...jobs].every((name) => typeof name === "string" && name !== "")) {
    throw invalidArgument("`jobs`", "an array of job names", jobs);
  }
  return {
    registry: registryOf(options),
    prefix,
    buckets: [...buckets],
    maxSeries,
    jobs: [...jobs],
    attributeLabels: labelNamesOf(attributeLabels),
    exemplars,
  };
}

/**
 * Checks options without making an observer, and returns a complete copy of them. Use it in a set-up that makes the
 * observer later: what happens to the options in between does not change the copy.
 *
 * @throws TypeError or RangeError for options that `prometheusJobObserver` would refuse.
 */
export function requirePrometheusJobObserverOptions(
  options: PrometheusJobObserverOptions,
): PrometheusJobObserverOptions {
  const { attributeLabels, ...settings } = settingsOf(options);
  // Without a registry, each observer has a new one.
  return { ...settings, attributeLabels: [...attributeLabels.keys()], registry: options.registry };
}

function isFiniteAndAbovePrevious(bound: unknown, index: number, bounds: readonly unknown[]): boolean {
  return Number.isFinite(bound) && (index === 0 || (bound as number) > (bounds[index - 1] as number));
}

function registryOf({ registry, exemplars }: PrometheusJobObserverOptions): Registry<RegistryContentType> {
  if (registry === undefined) {
    const made: Registry<RegistryContentType> = new Registry();
    if (exemplars !== undefined) made.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    return made;
  }
  if (typeof registry?.registerMetric !== "function") {
    throw invalidArgument("`registry`", "a prom-client Registry", registry);
  }
  if (exemplars !== undefined && registry.contentType !== Registry.OPENMETRICS_CONTENT_TYPE) {
    throw invalidArgument(
      "the content type of `registry`",
      "that of OpenMetrics, which `exemplars` need",
      registry.contentType,
    );
  }
  return registry;
}
