type Outcome<T> = { readonly value: T } | { readonly error: unknown };

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
  let outcome: Outcome<T> | undefined;

  const enter = (): T => {
    if (isEntered) report(new Error("runInScope called `run` again; it was not executed again"));
    else {
      isEntered = true;
      outcome = attempt(body);
    }
    if (outcome === undefined) throw new Error("runInScope called `run` from inside `run`");
    return resultOf(outcome);
  };

  const left = attempt(() => scope(enter));
  if (!isEntered) {
    isEntered = true;
    if (!("error" in left)) report(new Error("runInScope returned without calling `run`"));
    outcome = attempt(body);
  }
  const ended = outcome as Outcome<T>;
  if (!isSame(left, ended)) reportOwnError(left, ended, report);
  return resultOf(ended);
}

function attempt<T>(body: () => T): Outcome<T> {
  try {
    return { value: body() };
  } catch (error) {
    return { error };
  }
}

function resultOf<T>(outcome: Outcome<T>): T {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

function isSame(left: Outcome<unknown>, right: Outcome<unknown>): boolean {
  if ("error" in left) return "error" in right && Object.is(left.error, right.error);
  return "value" in right && Object.is(left.value, right.value);
}

/** What the scope threw or rejected with, unless that is only what the body did. Any other result is passed over. */
async function reportOwnError(
  left: Outcome<unknown>,
  outcome: Outcome<unknown>,
  report: (error: unknown) => void,
): Promise<void> {
  if ("error" in left) return report(left.error);
  const ofScope = await settle(left.value);
  if ("error" in ofScope && !isSame(ofScope, "error" in outcome ? outcome : await settle(outcome.value))) {
    report(ofScope.error);
  }
}

async function settle(value: unknown): Promise<Outcome<unknown>> {
  try {
    return { value: await value };
  } catch (error) {
    return { error };
  }
}
