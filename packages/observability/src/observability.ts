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
import { type HealthHandler, type HealthHandlerOptions, healthHandler } from "./health-handler.ts";
import { type MetricsHandler, metricsHandler } from "./metrics-handler.ts";
import { type OtelPipelineSource, otelAdapter } from "./otel-adapter.ts";
import { prometheusAdapter } from "./prometheus-adapter.ts";

/** Names of the adapters that have a step of their own. */
const ownNames = new Set(["prometheus", "otel"]);

/** Makes an adapter when the set-up is first used. */
interface AdapterSource {
  make(service: ServiceIdentity): ObservabilityAdapter;
  /** The pipeline that the user passed. It is shut down even if the set-up was never used. */
  readonly pipeline?: OtelPipeline | undefined;
}

/** Steps under a name that several set-ups share. An organisation publishes one for its services. */
export interface ObservabilityPreset {
  /** Error messages show it. */
  readonly name: string;
  /** Returns the same set-up with the preset's steps added. */
  apply(observability: Observability): Observability;
}

/**
 * Configures how a service's jobs are observed. It never changes: every step returns a new set-up, in any order, so you
 * can share a half-configured one.
 *
 * Its first use puts it to work. From then on its runners share observers, metrics and pipeline. A set-up derived from
 * it later has its own.
 */
export class Observability implements AsyncDisposable {
  readonly #service: ServiceIdentity;
  /** By name, and used in the order of names, so that the order of calls does not matter. */
  readonly #adapters: ReadonlyMap<string, AdapterSource>;
  #adapterSet: AdapterSet | undefined;

  /** @internal Made by `production` and `development`. */
  constructor(service: ServiceIdentity, adapters: ReadonlyMap<string, AdapterSource> = new Map()) {
    this.#service = service;
    this.#adapters = adapters;
  }

  /**
   * Sets the service's version, for its telemetry.
   *
   * @throws TypeError for an empty string.
   */
  version(serviceVersion: string): Observability {
    requireText("version", serviceVersion);
    return new Observability({ ...this.#service, serviceVersion }, this.#adapters);
  }

  /**
   * Sets the environment that the service is deployed in, such as "prod".
   *
   * @throws TypeError for an empty string.
   */
  environment(environment: string): Observability {
    requireText("environment", environment);
    return new Observability({ ...this.#service, environment }, this.#adapters);
  }

  /**
   * Adds Prometheus metrics, in a new registry unless the options name one. A second call replaces the first.
   *
   * @throws TypeError or RangeError for an option that `prometheusJobObserver` refuses.
   */
  prometheus(options: PrometheusJobObserverOptions = {}): Observability {
    requirePrometheusJobObserverOptions(options);
    return this.#adding("prometheus", { make: () => prometheusAdapter(options) });
  }

  /**
   * Adds OpenTelemetry spans. Without arguments or with options, they go through the application's own set-up. With a
   * pipeline, or the function `otelPipeline` that makes one for this service, they go through that pipeline; this
   * set-up then flushes it and shuts it down. A second call replaces the first.
   *
   * @throws TypeError or RangeError for an option that `otelJobObserver` refuses.
   */
  otel(options?: OtelJobObserverOptions): Observability;
  otel(pipeline: OtelPipelineSource, options?: OtelJobObserverOptions): Observability;
  otel(first?: OtelJobObserverOptions | OtelPipelineSource, second?: OtelJobObserverOptions): Observability {
    if (!["object", "function", "undefined"].includes(typeof first) || first === null) {
      throw invalidArgument(
        "the first argument of `otel`",
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
    if (second !== undefined) {
      throw invalidArgument("the first argument of `otel`, with options after it,", "a pipeline", first);
    }
    const observer = otelJobObserver(first);
    return this.#adding("otel", { make: () => ({ name: "otel", jobObserver: () => observer }) });
  }

  /**
   * Adds an adapter or a preset, such as your own.
   *
   * @throws TypeError for a value that is neither, and for a preset that returns another set-up. Error if an adapter of
   * that name is already there. Whatever a preset's steps throw.
   */
  with(addition: ObservabilityAdapter | ObservabilityPreset): Observability {
    return isPreset(addition) ? this.#withPreset(addition) : this.#withAdapter(addition);
  }

  #withPreset(preset: ObservabilityPreset): Observability {
    const applied: unknown = preset.apply(this);
    if (!(applied instanceof Observability) || applied.#service.serviceName !== this.#service.serviceName) {
      throw invalidArgument(
        `the result of the preset "${preset.name}"`,
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
      throw new Error(`an adapter named "${adapter.name}" is already there`);
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
   * Makes a runner whose runs are observed.
   *
   * @throws TypeError, RangeError or Error if an adapter refuses its options.
   */
  jobRunner(): ObservedJobRunner {
    return new ObservedJobRunner(this.jobObserver());
  }

  /**
   * Returns all observers as one, for a runner of your own.
   *
   * @throws TypeError, RangeError or Error if an adapter refuses its options.
   */
  jobObserver(): JobObserver {
    return this.#inUse.jobObserver;
  }

  /** The content type of `metrics`. @throws Error if no adapter has metrics. */
  get contentType(): string {
    return this.#inUse.contentType;
  }

  /** Returns exposition text. @throws (rejects with) Error if no adapter has metrics, or if they cannot be collected. */
  async metrics(): Promise<string> {
    return this.#inUse.metrics();
  }

  /** Makes a handler for a scrape endpoint, see {@link MetricsHandler}. @throws Error if no adapter has metrics. */
  metricsHandler(): MetricsHandler {
    void this.contentType;
    return metricsHandler(this);
  }

  /** Makes a handler for probes, see {@link HealthReport}. @throws TypeError for an invalid option. */
  healthHandler(options?: HealthHandlerOptions): HealthHandler {
    return healthHandler(options);
  }

  /**
   * Sends buffered telemetry. @throws (rejects with) an AggregateError of the adapters' errors, after all adapters were
   * called.
   */
  async forceFlush(): Promise<void> {
    await this.#each("forceFlush");
  }

  /**
   * Sends buffered telemetry and ends. Jobs can still run. You may call it again: each adapter is shut down once.
   *
   * @throws (rejects with) an AggregateError of the adapters' errors, after all adapters were called.
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
 * Begins a production set-up: `production("users-api").prometheus().otel().jobRunner()`.
 *
 * @throws TypeError if the service's name is not a non-empty string.
 */
export function production(serviceName: string): Observability {
  requireText("the service's name", serviceName);
  return new Observability({ serviceName });
}

/** An addition with an observer is an adapter, whatever other members it has. */
function isPreset(addition: ObservabilityAdapter | ObservabilityPreset): addition is ObservabilityPreset {
  if (typeof addition !== "object" || addition === null || "jobObserver" in addition) return false;
  return typeof addition.apply === "function";
}
