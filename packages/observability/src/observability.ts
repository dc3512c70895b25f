import { invalidArgument, requireText } from "@nidus/jobs-core/adapter";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import {
  type OtelJobObserverOptions,
  type OtelPipeline,
  otelJobObserver,
  type ServiceIdentity,
} from "@nidus/jobs-otel";
import {
  type PrometheusJobObserverOptions,
  requirePrometheusJobObserverOptions,
} from "@nidus/jobs-prometheus";
import type { ObservabilityAdapter } from "./adapter.ts";
import { AdapterSet, callEach } from "./adapter-set.ts";
import { type MetricsHandler, metricsHandler } from "./metrics-handler.ts";
import { type OtelPipelineSource, otelAdapter } from "./otel-adapter.ts";
import { prometheusAdapter } from "./prometheus-adapter.ts";

/** Names of the adapters that have a step of their own. */
const ownNames = new Set(["prometheus", "otel"]);

/** Makes an adapter when the facade is put to work. */
interface AdapterSource {
  make(service: ServiceIdentity): ObservabilityAdapter;
  /** What was handed over to be ended, whether it has been used or not. */
  readonly pipeline?: OtelPipeline | undefined;
}

/** Steps that set-ups have in common, under a name: what an organisation publishes for its services to use. */
export interface ObservabilityPreset {
  /** Stands in error messages. */
  readonly name: string;
  /** The same set-up with the preset's steps added. */
  apply(observability: Observability): Observability;
}

/**
 * How a service's jobs are observed. It never changes: every step returns another one, in any order, so a half-configured
 * one can be shared. It is put to work by its first use; from then on its runners share observers, metrics and pipeline,
 * and one derived from it later has its own.
 */
export class Observability implements AsyncDisposable {
  readonly #service: ServiceIdentity;
  /** By name, in an order of their own, so that the order of calls does not matter. */
  readonly #adapters: ReadonlyMap<string, AdapterSource>;
  #adapterSet: AdapterSet | undefined;

  /** @internal Made by `production` and `development`. */
  constructor(service: ServiceIdentity, adapters: ReadonlyMap<string, AdapterSource> = new Map()) {
    this.#service = service;
    this.#adapters = adapters;
  }

  /**
   * The service's version, for its telemetry.
   *
   * @throws TypeError for an empty string.
   */
  version(serviceVersion: string): Observability {
    requireText("version", serviceVersion);
    return new Observability({ ...this.#service, serviceVersion }, this.#adapters);
  }

  /**
   * Where the service is deployed, such as "prod".
   *
   * @throws TypeError for an empty string.
   */
  environment(environment: string): Observability {
    requireText("environment", environment);
    return new Observability({ ...this.#service, environment }, this.#adapters);
  }

  /**
   * Prometheus metrics, in a registry of their own unless the options name one. A second call replaces the first.
   *
   * @throws TypeError or RangeError for an option that `prometheusJobObserver` refuses.
   */
  prometheus(options: PrometheusJobObserverOptions = {}): Observability {
    requirePrometheusJobObserverOptions(options);
    return this.#adding("prometheus", { make: () => prometheusAdapter(options) });
  }

  /**
   * OpenTelemetry spans: with nothing or options, through the application's own set-up; with a pipeline, or the function
   * `otelPipeline` that makes one for this service, through that, which is then flushed and shut down here.
   * A second call replaces the first.
   *
   * @throws TypeError or RangeError for an option that `otelJobObserver` refuses.
   */
  otel(options?: OtelJobObserverOptions): Observability;
  otel(pipeline: OtelPipelineSource, options?: OtelJobObserverOptions): Observability;
  otel(first?: OtelJobObserverOptions | OtelPipelineSource, second?: OtelJobObserverOptions): Observability {
    if (!["object", "function", "undefined"].includes(typeof first) || first === null) {
      throw invalidArgument(
        "what `otel` is given",
        "options, a pipeline or a function that makes one",
        first,
      );
    }
    if (typeof first === "function" || (first !== undefined && "forceFlush" in first)) {
      otelJobObserver(second);
      return this.#adding("otel", {
        make: (service) => otelAdapter(first, second, service),
        pipeline: typeof first === "function" ? undefined : first,
      });
    }
    const observer = otelJobObserver(first);
    return this.#adding("otel", { make: () => ({ name: "otel", jobObserver: () => observer }) });
  }

  /**
   * An adapter or a preset of anybody's.
   *
   * @throws TypeError for what is neither, and for a preset that returns another set-up; Error for an adapter of a name that is
   * there already; whatever a preset's steps throw.
   */
  with(addition: ObservabilityAdapter | ObservabilityPreset): Observability {
    return isPreset(addition) ? this.#withPreset(addition) : this.#withAdapter(addition);
  }

  #withPreset(preset: ObservabilityPreset): Observability {
    const applied: unknown = preset.apply(this);
    if (!(applied instanceof Observability) || applied.#service.serviceName !== this.#service.serviceName) {
      throw invalidArgument(
        `what the preset "${preset.name}" returns`,
        "this set-up with its steps added",
        applied,
      );
    }
    return applied;
  }

  #withAdapter(adapter: ObservabilityAdapter): Observability {
    if (typeof adapter?.jobObserver !== "function") {
      throw invalidArgument("an adapter", "an object with `name` and `jobObserver`", adapter);
    }
    requireText("the adapter's `name`", adapter.name);
    if (ownNames.has(adapter.name) || this.#adapters.has(adapter.name)) {
      throw new Error(`there is an adapter named "${adapter.name}" already`);
    }
    return this.#adding(adapter.name, { make: () => adapter });
  }

  #adding(name: string, source: AdapterSource): Observability {
    return new Observability(this.#service, new Map([...this.#adapters, [name, source]]));
  }

  get #inUse(): AdapterSet {
    this.#adapterSet ??= new AdapterSet(
      [...this.#adapters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { make }]) => make(this.#service)),
      this.#service,
    );
    return this.#adapterSet;
  }

  /**
   * A runner whose runs are observed.
   *
   * @throws TypeError, RangeError or Error if an adapter refuses its options.
   */
  jobRunner(): ObservedJobRunner {
    return new ObservedJobRunner(this.jobObserver());
  }

  /**
   * All of the observers as one, for a runner of one's own.
   *
   * @throws TypeError, RangeError or Error if an adapter refuses its options.
   */
  jobObserver(): JobObserver {
    return this.#inUse.jobObserver;
  }

  /** The content type of `metrics`. @throws Error if there are no metrics. */
  get contentType(): string {
    return this.#inUse.contentType;
  }

  /** Exposition text. @throws (rejects with) Error if there are no metrics, or they cannot be collected. */
  async metrics(): Promise<string> {
    return this.#inUse.metrics();
  }

  /** A handler for a scrape endpoint, see {@link MetricsHandler}. @throws Error if there are no metrics. */
  metricsHandler(): MetricsHandler {
    void this.contentType;
    return metricsHandler(this);
  }

  /** Sends what is buffered. @throws (rejects with) AggregateError of what adapters failed with, after all have tried. */
  async forceFlush(): Promise<void> {
    await this.#each("forceFlush");
  }

  /**
   * Sends what is buffered and ends; jobs can still run. May be repeated: adapters are told once.
   *
   * @throws (rejects with) AggregateError of what adapters failed with, after all have tried.
   */
  async shutdown(): Promise<void> {
    await this.#each("shutdown");
  }

  #each(step: "forceFlush" | "shutdown"): Promise<void> {
    if (this.#adapterSet !== undefined) return this.#adapterSet[step]();
    const pipelines = [...this.#adapters.values()].flatMap(({ pipeline }) => pipeline ?? []);
    return callEach(pipelines, step);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

/**
 * The start of a production set-up: `production("users-api").prometheus().otel().jobRunner()`.
 *
 * @throws TypeError if the service's name is not a non-empty string.
 */
export function production(serviceName: string): Observability {
  requireText("the service's name", serviceName);
  return new Observability({ serviceName });
}

/** What has an observer is an adapter, whatever else it has. */
function isPreset(addition: ObservabilityAdapter | ObservabilityPreset): addition is ObservabilityPreset {
  if (typeof addition !== "object" || addition === null || "jobObserver" in addition) return false;
  return typeof addition.apply === "function";
}
