import type { ObservedJobContext } from "./context.ts";
import type { JobObserver } from "./observer.ts";

/** An observer that has a scope. */
export type ScopeObserver = Required<Pick<JobObserver, "runInScope">>;

type Report = (error: unknown, observer: JobObserver) => void;

/**
 * Runs `body` through the scopes of observers from `index` on, the first outermost: exactly once, whatever a scope does, and
 * gives back what `body` returned or threw. What a scope did wrong goes to `report`.
 */
export function runThroughScopes<T>(
  observers: readonly ScopeObserver[],
  index: number,
  context: ObservedJobContext,
  body: () => T,
  report: Report,
): T {
  const observer = observers[index];
  if (observer === undefined) return body();
  let isEntered = false;
  let result: T | undefined;
  let failure: { readonly error: unknown } | undefined;

  const enter = (): T => {
    if (isEntered) report(new Error("runInScope called `run` again"), observer);
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
    if (failure && Object.is(failure.error, error)) return;
    try {
      await result;
    } catch (own) {
      if (Object.is(own, error)) return;
    }
    report(error, observer);
  };

  try {
    const returned: unknown = observer.runInScope(context, enter);
    if (!isEntered) report(new Error("runInScope did not call `run`"), observer);
    if (returned !== result) Promise.resolve(returned).catch(reportUnlessOwn);
  } catch (error) {
    reportUnlessOwn(error);
  }
  if (!isEntered) return enter();
  if (failure) throw failure.error;
  return result as T;
}
