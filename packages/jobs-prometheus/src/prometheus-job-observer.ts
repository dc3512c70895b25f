import { formatValue } from "@nidus/jobs-core/adapter";
import type { JobObserver, ObservedJobContext } from "@nidus/jobs-observe";
import type { Registry } from "prom-client";
import type { Exemplar } from "./counts/duration-histogram.ts";
import { expositionOf } from "./exposition/exposition.ts";
import { metricStoreIn } from "./metric-store.ts";
import { type PrometheusJobObserverOptions, settingsOf } from "./options.ts";

/** A job observer whose counts appear in a prom-client registry. */
export interface PrometheusJobObserver extends JobObserver {
  /** The registry that you passed, of whatever content type, or the new one. */
  readonly registry: Registry;
  /**
   * Returns the registry's exposition text, like `registry.metrics()`. All job metrics are of one moment. They are
   * written faster than by the registry, and in slices of 10 ms, so that a scrape of many thousand job names does not
   * stall the process.
   *
   * @throws (rejects with) the error of another metric in the registry that fails to collect.
   */
  metrics(): Promise<string>;
}

/**
 * Makes an observer that counts runs and publishes the counts in a prom-client registry when it is scraped. A run costs
 * a look-up by job name and a few additions. Observers that share a registry and a prefix share the metrics.
 *
 * @throws TypeError or RangeError for an invalid option; Error if the registry has other metrics with these names.
 */
export function prometheusJobObserver(options: PrometheusJobObserverOptions = {}): PrometheusJobObserver {
  const settings = settingsOf(options);
  const store = metricStoreIn(settings);
  for (const jobName of settings.jobs) store.declare({ jobName });
  const { registry, exemplars } = settings;
  return {
    registry: registry as Registry,
    metrics: () => expositionOf(registry),
    onJobDeclared: (context) => store.declare(context),
    onJobStarted: (context) => store.start(context),
    onJobFinished:
      exemplars === undefined
        ? (context, status) => void store.finish(context, status)
        : (context, status) => {
            const durations = store.finish(context, status);
            const labelSet = exemplars(context);
            if (labelSet) durations.setExemplar(exemplarOf(context, labelSet));
          },
    onEngineOpened: (context) => store.open(context),
    onJobEnqueued: (context) => store.enqueue(context),
    onJobSettled: (context) => store.settle(context),
  };
}

/** The limit that OpenMetrics sets for the names and values of an exemplar together. */
const maxExemplarCharacters = 128;

/** @throws TypeError or RangeError, which the runner passes to `onObserverError`. */
function exemplarOf(context: ObservedJobContext, labelSet: Record<string, string>): Exemplar {
  let characters = 0;
  for (const [name, value] of Object.entries(labelSet)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || typeof value !== "string") {
      throw new TypeError(
        `expected an exemplar's labels to be names and strings, got ${formatValue(name)}: ${formatValue(value)}`,
      );
    }
    characters += [...name].length + [...value].length;
  }
  if (characters > maxExemplarCharacters) {
    throw new RangeError(
      `expected an exemplar of at most ${maxExemplarCharacters} characters, got ${characters}`,
    );
  }
  const durationMs = context.durationMs ?? 0;
  return {
    labelSet: { ...labelSet },
    value: durationMs / 1000,
    timestamp: (context.startedAtMs + durationMs) / 1000,
  };
}
