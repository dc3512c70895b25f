/**
 * Whether a run that threw `error` was cancelled rather than failed, by the one rule that holds everywhere in Nidus:
 * its signal was aborted, for another reason than a timeout, and the error is the signal's own reason or an AbortError.
 * It never throws.
 */
export function isCancellation(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted || isNamed(signal.reason, "TimeoutError")) return false;
  return Object.is(error, signal.reason) || isNamed(error, "AbortError");
}

function isNamed(error: unknown, name: string): boolean {
  try {
    return error instanceof Error && error.name === name;
  } catch {
    return false;
  }
}

let shared: AbortSignal | undefined;

/**
 * The signal that jobs get where the caller gave none: a real AbortSignal that never aborts. It is shared by all of them,
 * so it stores nothing: listeners are dropped, and `AbortSignal.any` keeps no reference to signals derived from it.
 */
export function neverAbortedSignal(): AbortSignal {
  shared ??= Object.defineProperties(AbortSignal.any([]), {
    addEventListener: { value: () => {} },
    onabort: { get: () => null, set: () => {} },
  });
  return shared;
}
