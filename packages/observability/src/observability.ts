import { invalidArgument, requireText } from "@nidus/jobs-core/adapter";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { type OtelJobObserverOptions, otelJobObserver, type ServiceIdentity } from "@nidus/jobs-otel";
import {
  type PrometheusJobObserverOptions,
  requirePrometheusJobObserverOptions,
} from "@nidus/jobs-prometheus";
import { type ObservabilityAdapter, requireAdapter } from "./adapter.ts";
import { AdapterSet, type AdapterSource } from "./adapter-set.ts";
import { type HealthHandler, type HealthHandlerOptions, healthHandler } from "./health-handler.ts";
import { type MetricsHandler, metricsHandler } from "./metrics-handler.ts";
import { type OtelPipelineSource, otelAdapter, requirePipeline } from "./otel-adapter.ts";
import { prometheusAdapter } from "./prometheus-adapter.ts";

/** Names of the adapters that have a step of their own. */
const ownNames = new Set(["prometheus", "otel"]);

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
  readonly #sources: ReadonlyMap<string, AdapterSource>;
  readonly #adapters: AdapterSet;
  /** The set-up that a step made this one of. */
  #base: Observability | undefined;

  /** @internal Made by `production` and `development`. */
  constructor(service: ServiceIdentity, adapters: ReadonlyMap<string, AdapterSource> = new Map()) {
    // Adapters get it, and could change it for the others.
    this.#service = Object.freeze(service);
    this.#sources = adapters;
    this.#adapters = new AdapterSet(adapters, service);
  }

  #derived(service: ServiceIdentity, adapters: ReadonlyMap<string, AdapterSource>): Observability {
    const derived = new Observability(service, adapters);
    derived.#base = this;
    return derived;
  }

  /** Tells whether this is another set-up with steps added, or that set-up itself. */
  #isFrom(other: Observability): boolean {
    if (this === other || this.#base === undefined) return this === other;
    return this.#base.#isFrom(other);
  }

  /**
   * Sets the service's version, for its telemetry.
   *
   * @throws TypeError for an empty string.
   */
  version(serviceVersion: string): Observability {
    requireText("version", serviceVersion);
    return this.#derived({ ...this.#service, serviceVersion }, this.#sources);
  }

  /**
   * Sets the environment that the service is deployed in, such as "prod".
   *
   * @throws TypeError for an empty string.
   */
  environment(environment: string): Observability {
    requireText("environment", environment);
    return this.#derived({ ...this.#service, environment }, this.#sources);
  }

  /**
   * Adds Prometheus metrics, in a new registry unless the options name one. A second call replaces the first.
   *
   * @throws TypeError or RangeError for an option that `prometheusJobObserver` refuses.
   */
  prometheus(options: PrometheusJobObserverOptions = {}): Observability {
    const copy = requirePrometheusJobObserverOptions(options);
    return this.#adding("prometheus", { make: () => prometheusAdapter(copy) });
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
      const pipeline = typeof first === "function" ? undefined : first;
      if (pipeline !== undefined) requirePipeline("the first argument of `otel`", pipeline);
      otelJobObserver(second);
      const copy = { ...second };
      return this.#adding("otel", { make: (service) => otelAdapter(first, copy, service), pipeline });
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
    if (!(applied instanceof Observability) || !applied.#isFrom(this)) {
      throw invalidArgument(
        `the result of the preset "${preset.name}"`,
        "this set-up with its steps added",
        applied,
      );
    }
    return applied;
  }

  #withAdapter(adapter: ObservabilityAdapter): Observability {
    requireAdapter(adapter);
    if (ownNames.has(adapter.name) || this.#sources.has(adapter.name)) {
      throw new Error(`an adapter named "${adapter.name}" is already there`);
    }
    return this.#adding(adapter.name, { make: () => adapter });
  }

  #adding(name: string, source: AdapterSource): Observability {
    return this.#derived(this.#service, new Map([...this.#sources, [name, source]]));
  }

  /**
   * Makes a runner whose runs are observed.
   *
   * @throws what {@link Observability.jobObserver} throws.
   */
  jobRunner(): ObservedJobRunner {
    return new ObservedJobRunner(this.jobObserver());
  }

  /**
   * Returns all observers as one, for a runner of your own. If an adapter cannot be made, the next use tries again with
   * that one, and `shutdown` ends those that were made.
   *
   * @throws TypeError if an adapter makes no observer, or a function no pipeline. Error if the registry has other metrics
   * with the same names. What an adapter or a function throws.
   */
  jobObserver(): JobObserver {
    return this.#adapters.jobObserver;
  }

  /** The content type of `metrics`. @throws Error if no adapter has metrics. */
  get contentType(): string {
    return this.#adapters.contentType;
  }

  /** Returns exposition text. @throws (rejects with) Error if no adapter has metrics, or if they cannot be collected. */
  async metrics(): Promise<string> {
    return this.#adapters.metrics();
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
    await this.#adapters.each("forceFlush");
  }

  /**
   * Sends buffered telemetry and ends. Jobs can still run. You may call it again: each adapter is shut down once.
   *
   * @throws (rejects with) an AggregateError of the adapters' errors, after all adapters were called.
   */
  async shutdown(): Promise<void> {
    await this.#adapters.each("shutdown");
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
