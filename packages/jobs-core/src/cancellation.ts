import { propertyOf } from "./foreign.ts";

/**
 * Tells whether a run that threw `error` was cancelled rather than failed. The same rule holds everywhere in Nidus.
 *
 * The run's signal must be aborted, and not by a timeout. The error must come from that abort:
 * - it is the signal's reason, or has that reason as its cause;
 * - its code is `ABORT_ERR` or `ERR_CANCELED`; or
 * - its name or class name is `CanceledError`, or ends in `AbortError`.
 * Never throws, and accepts errors and signals of another realm or package copy, also hostile ones.
 */
export function isCancellation(error: unknown, signal: AbortSignal): boolean {
  const reason = propertyOf(signal, "reason");
  if (!propertyOf(signal, "aborted") || namesOf(reason).includes("TimeoutError")) return false;
  // A polyfill may set no reason, and most errors have no cause: the two do not make a cancellation.
  return [error, propertyOf(error, "cause") ?? error].includes(reason) || namesOf(error).some(isAbort);
}

/** Returns the `name` and the `code` of an error, and the name of its class. */
function namesOf(error: unknown): unknown[] {
  return [
    propertyOf(error, "name"),
    propertyOf(error, "code"),
    propertyOf(propertyOf(error, "constructor"), "name"),
  ];
}

/** Tells whether a text is a code or name of errors that libraries throw after an abort. */
function isAbort(text: unknown): boolean {
  return typeof text === "string" && /^(ABORT_ERR|ERR_CANCELED|CanceledError|.*AbortError)$/.test(text);
}

let shared: AbortSignal | undefined;

/**
 * Returns the signal for jobs whose caller gave none: a real AbortSignal that never aborts. All such jobs share it, so
 * it stores nothing: it drops listeners, and `AbortSignal.any` keeps no reference to signals derived from it.
 */
export function neverAbortedSignal(): AbortSignal {
  // A signal made by `any([])` keeps no list of the signals derived from it. Some test environments lack `any`.
  shared ??= Object.defineProperties(AbortSignal.any?.([]) ?? new AbortController().signal, {
    addEventListener: { value: () => {} },
    onabort: { get: () => null, set: () => {} },
  });
  return shared;
}
