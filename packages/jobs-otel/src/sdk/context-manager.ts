import { context, createContextKey } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";

/** Registers a context manager if the application has none: without one, no span is ever active. */
export function ensureContextManager(): void {
  const key = createContextKey("nidus.probe");
  const isThere = context.with(
    context.active().setValue(key, true),
    () => context.active().getValue(key) === true,
  );
  if (!isThere) context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}
