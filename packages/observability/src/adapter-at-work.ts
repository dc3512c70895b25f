import { invalidArgument, requireText } from "@nidus/jobs-core/adapter";
import { combineJobObservers, type JobObserver } from "@nidus/jobs-observe";
import type { ServiceIdentity } from "@nidus/jobs-otel";
import type { ObservabilityAdapter } from "./adapter.ts";

const defaultContentType = "text/plain; version=0.0.4; charset=utf-8";

/** An adapter with its observer. Checks what the adapter returns. */
export class AdapterAtWork {
  readonly name: string;
  readonly observer: JobObserver;
  readonly #adapter: ObservabilityAdapter;
  #ended: Promise<void> | undefined;

  /** @throws TypeError if the adapter returns no observer. What its `jobObserver` throws. */
  constructor(name: string, adapter: ObservabilityAdapter, service: ServiceIdentity) {
    this.name = name;
    this.#adapter = adapter;
    this.observer = this.#checked(adapter.jobObserver(service));
  }

  #checked(observer: JobObserver): JobObserver {
    const what = this.#member("jobObserver()");
    if (typeof observer !== "object" || observer === null || "then" in observer) {
      throw invalidArgument(what, "an observer", observer);
    }
    try {
      combineJobObservers(observer);
    } catch (cause) {
      throw new TypeError(`${what} is no observer: ${(cause as Error).message}`, { cause });
    }
    return observer;
  }

  /** Names a member of the adapter in messages. */
  #member(name: string): string {
    return `\`${name}\` of the adapter "${this.name}"`;
  }

  get hasMetrics(): boolean {
    return this.#adapter.metrics !== undefined;
  }

  /** @throws TypeError if it is no text. */
  get contentType(): string {
    return requireText(this.#member("contentType"), this.#adapter.contentType ?? defaultContentType);
  }

  /** Returns an empty text if the adapter has none. @throws (rejects with) TypeError if they are no text. */
  async metrics(): Promise<string> {
    const text: unknown = this.hasMetrics ? await this.#adapter.metrics?.() : "";
    if (typeof text === "string") return text;
    throw invalidArgument(this.#member("metrics()"), "a string", text);
  }

  async forceFlush(): Promise<void> {
    await this.#adapter.forceFlush?.();
  }

  /** Shuts the adapter down once, however often it is called. */
  shutdown(): Promise<void> {
    this.#ended ??= (async () => this.#adapter.shutdown?.())();
    return this.#ended;
  }
}
