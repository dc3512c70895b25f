import { describe, type JobError } from "@nidus/jobs-core";
import type { ObservedJobContext } from "./context.ts";
import type { EnqueuedJobContext, SettledJobContext } from "./delivery.ts";
import type { JobObserver, JobResultStatus } from "./observer.ts";
import { runThroughScope } from "./scope.ts";
import { warn } from "./warning.ts";

/** Told what an observer threw or rejected with, and which observer it was. */
export type ObserverErrorHandler = (error: unknown, observer: JobObserver) => void;

const hooks = ["onJobStarted", "onJobFinished", "runInScope", "onJobEnqueued", "onJobSettled"] as const;

type ScopeObserver = Required<Pick<JobObserver, "runInScope">>;

/** Observers as one, each kept from the run and from the others: what one throws or rejects goes to a handler. */
export class ObserverList implements JobObserver {
  readonly #observers: readonly JobObserver[];
  readonly #scopes: readonly ScopeObserver[];
  readonly #onError: ObserverErrorHandler;

  /** @throws TypeError for what is no observer. */
  constructor(observers: readonly JobObserver[], onError: ObserverErrorHandler = warnOnce()) {
    this.#observers = observers.flatMap((observer) =>
      observer instanceof ObserverList ? observer.#observers : [requireObserver(observer)],
    );
    this.#scopes = this.#observers.filter((observer) => observer.runInScope !== undefined) as ScopeObserver[];
    this.#onError = onError;
  }

  get hasScopes(): boolean {
    return this.#scopes.length > 0;
  }

  onJobStarted(context: ObservedJobContext): void {
    for (const observer of this.#observers) {
      try {
        const returned: unknown = observer.onJobStarted?.(context);
        if (returned !== undefined) this.#watch(returned, observer);
      } catch (error) {
        this.#report(error, observer);
      }
    }
  }

  onJobFinished(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void {
    for (let index = this.#observers.length - 1; index >= 0; index--) {
      const observer = this.#observers[index] as JobObserver;
      try {
        const returned: unknown = observer.onJobFinished?.(context, status, error);
        if (returned !== undefined) this.#watch(returned, observer);
      } catch (thrown) {
        this.#report(thrown, observer);
      }
    }
  }

  onJobEnqueued(context: EnqueuedJobContext): void {
    for (const observer of this.#observers) this.#tell(observer, () => observer.onJobEnqueued?.(context));
  }

  onJobSettled(context: SettledJobContext): void {
    for (const observer of this.#observers) this.#tell(observer, () => observer.onJobSettled?.(context));
  }

  runInScope<T>(context: ObservedJobContext, run: () => T): T {
    return this.#runInScopesFrom(0, context, run);
  }

  #runInScopesFrom<T>(index: number, context: ObservedJobContext, run: () => T): T {
    const observer = this.#scopes[index];
    if (observer === undefined) return run();
    return runThroughScope(
      (enter: () => T) => observer.runInScope(context, enter),
      () => this.#runInScopesFrom(index + 1, context, run),
      (error) => this.#report(error, observer),
    );
  }

  #tell(observer: JobObserver, hook: () => unknown): void {
    try {
      this.#watch(hook(), observer);
    } catch (error) {
      this.#report(error, observer);
    }
  }

  /** Hooks return nothing. One that is an async function all the same must not end as an unhandled rejection. */
  async #watch(returned: unknown, observer: JobObserver): Promise<void> {
    try {
      await returned;
    } catch (error) {
      this.#report(error, observer);
    }
  }

  async #report(error: unknown, observer: JobObserver): Promise<void> {
    try {
      await this.#onError(error, observer);
    } catch {
      // The handler failed too, and the run goes on: nobody is left to tell.
    }
  }
}

/**
 * One observer that stands for many, in their order. A runner treats it as the list it is: its own `onObserverError`
 * hears of each of them. Used by itself, it warns once for each observer that throws.
 *
 * @throws TypeError for what is no observer.
 */
export function combineJobObservers(...observers: JobObserver[]): JobObserver {
  return new ObserverList(observers);
}

function requireObserver(observer: JobObserver): JobObserver {
  if (typeof observer !== "object" || observer === null || Array.isArray(observer)) {
    throw new TypeError(`expected an observer to be an object with hooks, got ${describe(observer)}`);
  }
  for (const hook of hooks) {
    if (observer[hook] !== undefined && typeof observer[hook] !== "function") {
      throw new TypeError(
        `expected the observer's \`${hook}\` to be a function, got ${describe(observer[hook])}`,
      );
    }
  }
  return observer;
}

function warnOnce(): ObserverErrorHandler {
  const warned = new WeakSet<JobObserver>();
  return (error, observer) => {
    if (warned.has(observer)) return;
    warned.add(observer);
    warn(
      "an observer of jobs failed; the jobs are not affected, and its further errors are not shown",
      error,
    );
  };
}
