import { warn } from "@nidus/jobs-core/adapter";
import { messageOf } from "./error-text.ts";

const warningIntervalMs = 60_000;

/** Creates the `onError` that engines have by default. It emits a process warning that names the engine, at most one a minute. */
export function throttledWarning(engineName: string): (error: unknown) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (performance.now() - lastMs < warningIntervalMs) return;
    lastMs = performance.now();
    warn(`${engineName}: ${messageOf(error)}`);
  };
}

/** Hears errors as `onError` does. Errors of `onError` itself are left alone: no other handler is left that could hear of them. */
export function neverThrowing(onError: (error: unknown) => void): (error: unknown) => void {
  return async (error) => {
    try {
      await onError(error);
    } catch {
      // The handler failed too.
    }
  };
}
