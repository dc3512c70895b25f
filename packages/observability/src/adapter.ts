import type { JobObserver } from "@nidus/jobs-observe";
import type { ServiceIdentity } from "@nidus/jobs-otel";

/** One way of observing, as the facade composes it. Anybody can write one. */
export interface ObservabilityAdapter {
  /** Unique within one facade; it stands in error messages. */
  readonly name: string;
  /** The observer of jobs. Called once for each facade that uses the adapter, before any other member. */
  jobObserver(service: ServiceIdentity): JobObserver;
  /** Exposition text, for adapters that are scraped. */
  metrics?(): string | Promise<string>;
  /** The content type of `metrics`. @default "text/plain; version=0.0.4; charset=utf-8" */
  readonly contentType?: string | undefined;
  /** Sends what is buffered. It should resolve in bounded time. */
  forceFlush?(): void | Promise<void>;
  /** Sends what is buffered and ends. It should resolve in bounded time. */
  shutdown?(): void | Promise<void>;
}
