import {
  formatValue,
  invalidArgument,
  requireFunction,
  requireKnownKeys,
  requireText,
  requireWholeNumber,
} from "@nidus/jobs-core/adapter";
import type { ObservedJobContext } from "@nidus/jobs-observe";
import { durationBoundsSeconds } from "@nidus/jobs-observe/adapter";
import { Registry, type RegistryContentType } from "prom-client";

/** Where and how job metrics are kept. */
export interface PrometheusJobObserverOptions {
  /**
   * The prom-client registry that exposes the metrics, of any content type.
   * @default a new one, of the OpenMetrics content type where `exemplars` is given
   */
  readonly registry?: Registry<RegistryContentType> | undefined;
  /** Comes before every metric's name. Letters, digits, `_` and `:`. @default "nidus_" */
  readonly prefix?: string | undefined;
  /** Upper bounds of the duration and wait histograms, in seconds, rising. @default 5 ms to an hour, 16 of them */
  readonly buckets?: readonly number[] | undefined;
  /**
   * How many label sets (job names, where there are no `attributeLabels`) get series of their own: a whole number from 1.
   * Further ones are counted together as `<overflow>`. Of observers that share a registry, the first says. @default 1000
   */
  readonly maxSeries?: number | undefined;
  /**
   * Names of jobs whose counters exist at 0 before the first run. Engines, and `runner.declare`, name theirs by themselves.
   * @default none
   */
  readonly jobs?: readonly string[] | undefined;
  /**
   * Context attributes that become labels. Characters that a label name cannot have become `_`, so `tenant.id` is the label
   * `tenant_id`; a run without the attribute has the empty label. Each value multiplies the series; a value longer than
   * 256 characters is cut. @default none
   */
  readonly attributeLabels?: readonly string[] | undefined;
  /**
   * Labels of the exemplar that a finished run leaves on its bucket, such as its trace id, or undefined for none.
   * At most 128 characters, names and values together. OpenMetrics registries only. Called once a finished run,
   * which with a run id for a label costs about 0.8 µs more (Node 20; see tools/bench).
   * @default no exemplars
   */
  readonly exemplars?: ((context: ObservedJobContext) => Record<string, string> | undefined) | undefined;
}

/** The same, checked and complete. */
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

/** Labels that the metrics have already, and those that mean something to Prometheus in a histogram. */
const ownLabels = new Set(["job_name", "status", "le", "quantile"]);

/** @throws TypeError or RangeError that names the option, the expectation and the value received. */
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
  if (typeof prefix !== "string" || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(`${prefix}a`)) {
    throw invalidArgument(
      "`prefix`",
      "the start of a metric name: letters, digits, _ and :, no digit first",
      prefix,
    );
  }
  if (!Array.isArray(buckets) || buckets.length === 0 || !buckets.every(isFiniteAndAbovePrevious)) {
    throw invalidArgument("`buckets`", "finite numbers of seconds, rising", buckets);
  }
  requireWholeNumber("`maxSeries`", maxSeries);
  if (exemplars !== undefined) requireFunction("`exemplars`", exemplars);
  if (!Array.isArray(jobs) || !jobs.every((name) => typeof name === "string" && name !== "")) {
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
 * Checks options before an observer is made of them, for set-ups that make it later.
 *
 * @throws TypeError or RangeError for what `prometheusJobObserver` would refuse.
 */
export function requirePrometheusJobObserverOptions(options: PrometheusJobObserverOptions): void {
  settingsOf(options);
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

/** Label names by attribute key. */
function labelNamesOf(attributes: readonly string[]): ReadonlyMap<string, string> {
  if (!Array.isArray(attributes)) {
    throw invalidArgument("`attributeLabels`", "an array of attribute keys", attributes);
  }
  const names = new Map<string, string>();
  const taken = new Set(ownLabels);
  for (const key of attributes as readonly unknown[]) {
    const name = requireText("each key in `attributeLabels`", key)
      .replace(/[^a-zA-Z0-9_]/g, "_")
      .replace(/^(?=\d)/, "_");
    if (taken.has(name) || name.startsWith("__")) {
      throw new TypeError(
        `\`attributeLabels\`: ${formatValue(key)} would be the label "${name}", which is taken or reserved`,
      );
    }
    taken.add(name);
    names.set(key as string, name);
  }
  return names;
}
