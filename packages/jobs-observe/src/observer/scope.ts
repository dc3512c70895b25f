import type { ObservedJobContext } from "../context/context.ts";
import type { JobObserver } from "./observer.ts";

type ScopeObserver = JobObserver & { runInScope<T>(context: ObservedJobContext, run: () => T): T };

type Report = (error: unknown, observer: JobObserver) => void;

/**
 * Runs `body` inside the scopes of the observers from `index` on, the first outermost. It runs `body` exactly once,
 * whatever a scope does, and returns or throws what `body` did. Errors of scopes go to `report`.
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

/** A function of its own: V8 creates closures at the start of a function, and a run without a scope needs none. */
function enterScope<T>(
  observers: readonly JobObserver[],
  index: number,
  context: ObservedJobContext,
  body: () => T,
  report: Report,
): T {
  const observer = observers[index] as ScopeObserver;
  let result: T | undefined;
  /** Returns or throws what `body` did. Undefined until the scope has called `run`. */
  let repeat: (() => T) | undefined;

  const enter = (): T => {
    if (repeat) report(new Error("runInScope called `run` twice"), observer);
    else {
      repeat = () => result as T;
      try {
        result = runThroughScopes(observers, index + 1, context, body, report);
      } catch (error) {
        repeat = () => {
          throw error;
        };
      }
    }
    return repeat();
  };

  /** Reports what a scope threw or rejected with, unless it is the error of `body` itself. */
  const reportUnlessOwn = async (error: unknown): Promise<void> => {
    try {
      await repeat?.();
    } catch (own) {
      if (Object.is(own, error)) return;
    }
    report(error, observer);
  };

  try {
    const returned: unknown = observer.runInScope(context, enter);
    if (!repeat) report(new Error("runInScope never called `run`"), observer);
    if (returned !== result) Promise.resolve(returned).catch(reportUnlessOwn);
  } catch (error) {
    reportUnlessOwn(error);
  }
  return repeat ? repeat() : enter();
}

/**
 * Tells whether an observer wants a scope now: the member may be a getter. If the getter throws, it throws again in
 * `enterScope`, which reports the error.
 */
function hasScope(observer: JobObserver): boolean {
  try {
    return !!observer.runInScope;
  } catch {
    return true;
  }
}
