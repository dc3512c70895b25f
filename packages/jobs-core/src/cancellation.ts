import { propertyOf } from "./foreign.ts";

/**
 * Whether a run that threw `error` was cancelled rather than failed, by the one rule that holds everywhere in Nidus. The run's
 * signal was aborted, for another reason than a timeout, and the error is the signal's reason, has it as its cause, or is
 * what libraries throw after an abort: its code is `ABORT_ERR` or `ERR_CANCELED`, or its name or the name of its class is
 * `CanceledError` or ends in `AbortError`. It never throws, and asks nothing of the realm or the copy an error comes from.
 */
export function isCancellation(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  const reason = propertyOf(signal, "reason");
  if (namesOf(reason).includes("TimeoutError")) return false;
  return (
    Object.is(error, reason) ||
    // A polyfill may have no reason.
    (reason !== undefined && Object.is(propertyOf(error, "cause"), reason)) ||
    [propertyOf(error, "code"), ...namesOf(error)].some(isAbort)
  );
}

/** The name that an error goes by, and that of its class. */
function namesOf(error: unknown): unknown[] {
  return [propertyOf(error, "name"), propertyOf(propertyOf(error, "constructor"), "name")];
}

/** A code or a name that libraries give what they throw after an abort. */
function isAbort(text: unknown): boolean {
  return typeof text === "string" && /^(ABORT_ERR|ERR_CANCELED|CanceledError|.*AbortError)$/.test(text);
}

let shared: AbortSignal | undefined;

/**
 * The signal that jobs get where the caller gave none: a real AbortSignal that never aborts. It is shared by all of them,
 * so it stores nothing: listeners are dropped, and `AbortSignal.any` keeps no reference to signals derived from it.
 */
export function neverAbortedSignal(): AbortSignal {
  // A signal made of none keeps no list of the signals made of it. Test environments may have an AbortSignal without `any`.
  shared ??= Object.defineProperties(AbortSignal.any?.([]) ?? new AbortController().signal, {
    addEventListener: { value: () => {} },
    onabort: { get: () => null, set: () => {} },
  });
  return shared;
}
