import type { JobObserver } from "@nidus/jobs-observe";
import type { ServiceIdentity } from "@nidus/jobs-otel";

/** Adds one way of observing to a set-up. You can write your own. */
export interface ObservabilityAdapter {
  /** Unique within one set-up. Error messages show it. */
  readonly name: string;
  /** Returns the observer of jobs. Called once for each set-up that uses the adapter, before any other member. */
  jobObserver(service: ServiceIdentity): JobObserver;
  /** Returns exposition text. Only for adapters that are scraped. */
  metrics?(): string | Promise<string>;
  /** The content type of `metrics`. @default "text/plain; version=0.0.4; charset=utf-8" */
  readonly contentType?: string | undefined;
  /** Sends buffered telemetry. Should resolve in bounded time. */
  forceFlush?(): void | Promise<void>;
  /** Sends buffered telemetry and ends. Should resolve in bounded time. */
  shutdown?(): void | Promise<void>;
}
