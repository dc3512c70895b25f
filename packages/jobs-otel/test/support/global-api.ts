import { context, diag, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";

/** Global registrations live as long as the process, so each test removes its own. */
export function resetGlobalApi(): void {
  context.disable();
  propagation.disable();
  trace.disable();
  metrics.disable();
  diag.disable();
}

export function registerContextManager(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}
