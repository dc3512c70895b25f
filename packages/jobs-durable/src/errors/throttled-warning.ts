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

/** Hears errors as `onError` does. What that throws or rejects with is left alone: there is no one left to tell. */
export function neverThrowing(onError: (error: unknown) => void): (error: unknown) => void {
  return async (error) => {
    try {
      await onError(error);
    } catch {
      // See above.
    }
  };
}
