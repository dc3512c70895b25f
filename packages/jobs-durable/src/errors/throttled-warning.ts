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

/** Hears errors as `onError` does, and what that throws in turn is left alone: there is no one left to tell. */
export function neverThrowing(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onError(error);
    } catch {
      // See above.
    }
  };
}
