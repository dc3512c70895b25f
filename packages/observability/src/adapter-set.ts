import { combineJobObservers, type JobObserver } from "@nidus/jobs-observe";
import type { ServiceIdentity } from "@nidus/jobs-otel";
import type { ObservabilityAdapter } from "./adapter.ts";

const defaultContentType = "text/plain; version=0.0.4; charset=utf-8";

/** The end of an OpenMetrics exposition, which may occur once. */
const endOfExposition = "# EOF";

/** The adapters of a facade at work. */
export class AdapterSet {
  readonly jobObserver: JobObserver;
  readonly #adapters: readonly ObservabilityAdapter[];
  #ended: Promise<void> | undefined;

  constructor(adapters: readonly ObservabilityAdapter[], service: ServiceIdentity) {
    this.#adapters = adapters;
    this.jobObserver = combineJobObservers(...adapters.map((adapter) => adapter.jobObserver(service)));
  }

  /** @throws Error if no adapter has metrics, or if their content types differ. */
  get contentType(): string {
    const sources = this.#adapters.filter(({ metrics }) => metrics !== undefined);
    const [type, ...others] = new Set(sources.map(({ contentType }) => contentType ?? defaultContentType));
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
    const all = await Promise.all(this.#adapters.map((adapter) => adapter.metrics?.()));
    const texts = all.filter((text): text is string => text !== undefined && text !== "");
    // Leave a single text as it is: it may be too large to split in one go.
    if (texts.length < 2) return texts[0] ?? "";
    const lines = texts.flatMap((text) => text.replace(/\n$/, "").split("\n"));
    const end = lines.includes(endOfExposition) ? [endOfExposition] : [];
    return `${[...lines.filter((line) => line !== endOfExposition), ...end].join("\n")}\n`;
  }

  /** @throws (rejects with) the errors of `callEach`. */
  forceFlush(): Promise<void> {
    return callEach(this.#adapters, "forceFlush");
  }

  /** Shuts each adapter down once, however often it is called. @throws (rejects with) the errors of `callEach`. */
  shutdown(): Promise<void> {
    this.#ended ??= callEach(this.#adapters, "shutdown");
    return this.#ended;
  }
}

/** Calls a step of every party and waits until all have settled. @throws (rejects with) an AggregateError of their errors. */
export async function callEach(
  parties: readonly Pick<ObservabilityAdapter, "forceFlush" | "shutdown">[],
  step: "forceFlush" | "shutdown",
): Promise<void> {
  const calls = await Promise.allSettled(parties.map(async (party) => party[step]?.()));
  const errors = calls.flatMap((call) => (call.status === "rejected" ? [call.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} adapters failed in ${step}`);
}
