import { invalidArgument, requireFunction, requireText } from "@nidus/jobs-core/adapter";
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

/**
 * Checks the members of an adapter.
 *
 * @throws TypeError for a value without `name` and `jobObserver`, or with another member that is no method.
 */
export function requireAdapter(adapter: ObservabilityAdapter): void {
  if (typeof adapter?.jobObserver !== "function") {
    throw invalidArgument("an adapter", "an object with `name` and `jobObserver`", adapter);
  }
  requireText("the adapter's `name`", adapter.name);
  for (const member of ["metrics", "forceFlush", "shutdown"] as const) {
    if (adapter[member] === undefined) continue;
    requireFunction(`\`${member}\` of the adapter "${adapter.name}"`, adapter[member]);
  }
}
