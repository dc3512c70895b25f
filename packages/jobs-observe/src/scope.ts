/**
 * Runs `body` through a scope that an observer provides, exactly once whatever the scope does, and gives back what `body`
 * returned or threw. What the scope did wrong goes to `report`.
 */
export function runThroughScope<T>(
  scope: (run: () => T) => unknown,
  body: () => T,
  report: (error: unknown) => void,
): T {
  let isEntered = false;
  let result: T | undefined;
  let failure: { readonly error: unknown } | undefined;

  const enter = (): T => {
    if (isEntered) report(new Error("runInScope called `run` again"));
    else {
      isEntered = true;
      try {
        result = body();
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
    report(error);
  };

  try {
    const returned = scope(enter) as Promise<unknown> | undefined;
    if (!isEntered) report(new Error("runInScope did not call `run`"));
    if (returned !== result) Promise.resolve(returned).catch(reportUnlessOwn);
  } catch (error) {
    reportUnlessOwn(error);
  }
  if (!isEntered) return enter();
  if (failure) throw failure.error;
  return result as T;
}
