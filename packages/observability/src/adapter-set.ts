import { combineJobObservers, type JobObserver } from "@nidus/jobs-observe";
import type { OtelPipeline, ServiceIdentity } from "@nidus/jobs-otel";
import type { ObservabilityAdapter } from "./adapter.ts";
import { AdapterAtWork } from "./adapter-at-work.ts";

/** The end of an OpenMetrics exposition, which may occur once. */
const endOfExposition = "# EOF";

/** Makes an adapter when the set-up is first used. */
export interface AdapterSource {
  make(service: ServiceIdentity): ObservabilityAdapter;
  /** The pipeline that the user passed. It is shut down even if the set-up was never used. */
  readonly pipeline?: OtelPipeline | undefined;
}

/** The adapters of a set-up. It makes them when they are first needed, and ends what it made. */
export class AdapterSet {
  /** In the order of names, so that the order of calls does not matter. */
  readonly #sources: readonly (readonly [name: string, AdapterSource])[];
  readonly #service: ServiceIdentity;
  /** The adapters of the first sources: of all, unless one of them could not be made. */
  readonly #made: AdapterAtWork[] = [];
  #jobObserver: JobObserver | undefined;

  constructor(sources: ReadonlyMap<string, AdapterSource>, service: ServiceIdentity) {
    this.#sources = [...sources].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#service = service;
  }

  /** Makes all adapters. After an error, a later call goes on with the adapter that could not be made. */
  get #adapters(): readonly AdapterAtWork[] {
    for (const [name, source] of this.#sources.slice(this.#made.length)) {
      this.#made.push(new AdapterAtWork(name, source.make(this.#service), this.#service));
    }
    return this.#made;
  }

  /** @throws what an adapter throws when it is made. */
  get jobObserver(): JobObserver {
    this.#jobObserver ??= combineJobObservers(...this.#adapters.map(({ observer }) => observer));
    return this.#jobObserver;
  }

  /** @throws Error if no adapter has metrics, or if their content types differ. What `jobObserver` throws. */
  get contentType(): string {
    const sources = this.#adapters.filter(({ hasMetrics }) => hasMetrics);
    const [type, ...others] = new Set(sources.map(({ contentType }) => contentType));
    if (type === undefined) throw new Error("there are no metrics to expose: add `.prometheus()`");
    if (others.length > 0) {
      const names = sources.map(({ name }) => name).join(", ");
      throw new Error(`the metrics of ${names} have different content types and cannot be exposed together`);
    }
    return type;
  }

  /** Returns the exposition of all adapters. @throws (rejects with) what `contentType` throws, or an adapter's `metrics`. */
  async metrics(): Promise<string> {
    void this.contentType;
    const all = await Promise.all(this.#adapters.map((adapter) => adapter.metrics()));
    const texts = all.filter((text) => text !== "");
    // Leave a single text as it is: it may be too large to split in one go.
    if (texts.length < 2) return texts[0] ?? "";
    const lines = texts.flatMap((text) => text.replace(/\n$/, "").split("\n"));
    const end = lines.includes(endOfExposition) ? [endOfExposition] : [];
    return `${[...lines.filter((line) => line !== endOfExposition), ...end].join("\n")}\n`;
  }

  /**
   * Calls a step of every adapter that was made, and of a pipeline that the user passed. Waits until all have settled.
   *
   * @throws (rejects with) an AggregateError of their errors.
   */
  async each(step: "forceFlush" | "shutdown"): Promise<void> {
    const calls = await Promise.allSettled(
      this.#sources.map(async ([, { pipeline }], index) => (this.#made[index] ?? pipeline)?.[step]()),
    );
    const names = this.#sources
      .map(([name]) => name)
      .filter((_, index) => calls[index]?.status === "rejected");
    if (names.length === 0) return;
    const errors = calls.flatMap((call) => (call.status === "rejected" ? [call.reason as unknown] : []));
    const count = names.length === 1 ? "1 adapter" : `${names.length} adapters`;
    throw new AggregateError(errors, `${count} failed in ${step}: ${names.join(", ")}`);
  }
}
