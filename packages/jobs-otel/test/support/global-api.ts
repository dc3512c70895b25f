import { context, diag, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";

/** What an application registers once is per process: each test leaves nothing of it behind. */
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
