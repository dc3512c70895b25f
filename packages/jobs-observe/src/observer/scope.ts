import type { ObservedJobContext } from "../context/context.ts";
import type { JobObserver } from "./observer.ts";

type ScopeObserver = JobObserver & { runInScope<T>(context: ObservedJobContext, run: () => T): T };

type Report = (error: unknown, observer: JobObserver) => void;

/**
 * Runs `body` through the scopes of observers from `index` on, the first outermost: exactly once, whatever a scope does, and
 * gives back what `body` returned or threw. What a scope did wrong goes to `report`.
 */
export function runThroughScopes<T>(
  observers: readonly JobObserver[],
  index: number,
  context: ObservedJobContext,
  body: () => T,
  report: Report,
): T {
  const observer = observers[index];
  if (!observer) return body();
  if (hasScope(observer)) return enterScope(observers, index, context, body, report);
  return runThroughScopes(observers, index + 1, context, body, report);
}

/** Apart, since V8 pays for closures where a function begins, and a run without a scope needs none. */
function enterScope<T>(
  observers: readonly JobObserver[],
  index: number,
  context: ObservedJobContext,
  body: () => T,
  report: Report,
): T {
  const observer = observers[index] as ScopeObserver;
  let isEntered = false;
  let result: T | undefined;
  let failure: { readonly error: unknown } | undefined;

  const enter = (): T => {
    if (isEntered) report(new Error("runInScope called `run` twice"), observer);
    else {
      isEntered = true;
      try {
        result = runThroughScopes(observers, index + 1, context, body, report);
      } catch (error) {
        failure = { error };
      }
    }
    if (failure) throw failure.error;
    return result as T;
  };

  /** What a scope throws or rejects with is the body's own error, or the scope's to answer for. */
  const reportUnlessOwn = async (error: unknown): Promise<void> => {
    try {
      if (failure) throw failure.error;
      await result;
    } catch (own) {
      if (Object.is(own, error)) return;
    }
    report(error, observer);
  };

  try {
    const returned: unknown = observer.runInScope(context, enter);
    if (!isEntered) report(new Error("runInScope never called `run`"), observer);
    if (returned !== result) Promise.resolve(returned).catch(reportUnlessOwn);
  } catch (error) {
    reportUnlessOwn(error);
  }
  if (!isEntered) return enter();
  if (failure) throw failure.error;
  return result as T;
}

/** A getter may answer that no scope is wanted now. One that throws does so again where that is reported. */
function hasScope(observer: JobObserver): boolean {
  try {
    return !!observer.runInScope;
  } catch {
    return true;
  }
}
