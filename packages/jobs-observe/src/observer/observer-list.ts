import type { JobError } from "@nidus/jobs-core";
import { formatValue, propertyOf, requireFunction, requireObject, warn } from "@nidus/jobs-core/adapter";
import type { ObservedJobContext } from "../context/context.ts";
import type {
  DeclaredJobContext,
  EnqueuedJobContext,
  JobProgress,
  SettledJobContext,
} from "../context/delivery.ts";
import type { JobObserver, JobResultStatus, OpenedEngineContext } from "./observer.ts";
import { runThroughScopes } from "./scope.ts";

/** Receives what an observer threw or rejected with, and that observer. */
export type ObserverErrorHandler = (error: unknown, observer: JobObserver) => void;

/** A list shows its observers to other copies of this package under this symbol. */
const members = Symbol.for("@nidus/jobs-observe/observers");

type ToldHook = "onJobDeclared" | "onEngineOpened" | "onJobEnqueued" | "onJobSettled" | "onJobProgressed";

/**
 * Calls several observers as one. It isolates each from the run and from the others: what one throws or rejects with
 * goes to a handler.
 */
export class ObserverList implements JobObserver {
  readonly #observers: readonly JobObserver[];
  readonly #reversed: readonly JobObserver[];
  readonly #scopes: readonly JobObserver[];
  readonly #onError: ObserverErrorHandler;

  static {
    Object.defineProperty(ObserverList.prototype, members, {
      get(this: ObserverList) {
        return this.#observers;
      },
    });
  }

  /** @throws TypeError for a value that is no observer. */
  constructor(observers: readonly JobObserver[], onError: ObserverErrorHandler = warnOnce()) {
    this.#observers = observers.flatMap((observer): readonly JobObserver[] => {
      const listed = propertyOf(observer, members);
      return Array.isArray(listed) ? listed : [requireObserver(observer)];
    });
    this.#reversed = this.#observers.toReversed();
    this.#scopes = this.#observers.filter((observer) => "runInScope" in observer);
    this.#onError = onError;
  }

  onJobStarted(context: ObservedJobContext): void {
    for (const observer of this.#observers) {
      try {
        this.#watch(observer.onJobStarted?.(context), observer);
      } catch (error) {
        this.#report(error, observer);
      }
    }
  }

  onJobFinished(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void {
    for (const observer of this.#reversed) {
      try {
        this.#watch(observer.onJobFinished?.(context, status, error), observer);
      } catch (thrown) {
        this.#report(thrown, observer);
      }
    }
  }

  onJobDeclared(context: DeclaredJobContext): void {
    this.#tell("onJobDeclared", context);
  }

  onEngineOpened(context: OpenedEngineContext): void {
    this.#tell("onEngineOpened", context);
  }

  onJobEnqueued(context: EnqueuedJobContext): void {
    this.#tell("onJobEnqueued", context);
  }

  onJobSettled(context: SettledJobContext): void {
    this.#tell("onJobSettled", context);
  }

  onJobProgressed(context: ObservedJobContext, progress: JobProgress): void {
    this.#tell("onJobProgressed", context, progress);
  }

  #tell(hook: ToldHook, context: unknown, progress?: JobProgress): void {
    for (const observer of this.#observers) {
      // The async function turns what a hook throws into a rejection.
      this.#watch((async () => observer[hook]?.(context as never, progress as never))(), observer);
    }
  }

  runInScope<T>(context: ObservedJobContext, run: () => T): T {
    return runThroughScopes(this.#scopes, 0, context, run, this.#report);
  }

  /** Hooks return nothing. If one is an async function nevertheless, its rejection goes to the handler. */
  #watch(returned: unknown, observer: JobObserver): void {
    if (returned) Promise.resolve(returned).catch((error) => this.#report(error, observer));
  }

  readonly #report = async (error: unknown, observer: JobObserver): Promise<void> => {
    try {
      await this.#onError(error, observer);
    } catch {
      // The handler failed too. The run goes on, and there is no other handler to call.
    }
  };
}

/**
 * Combines observers into one that calls them in order. A runner treats the result like a list: its `onObserverError`
 * receives the errors of each observer. Without a runner, the combined observer warns once for each observer that
 * throws.
 *
 * @throws TypeError for a value that is no observer.
 */
export function combineJobObservers(...observers: JobObserver[]): JobObserver {
  return new ObserverList(observers);
}

function requireObserver(observer: JobObserver): JobObserver {
  requireObject("an observer", observer);
  // An ObserverList has exactly the hooks of an observer.
  for (const hook of Object.getOwnPropertyNames(ObserverList.prototype) as (keyof JobObserver)[]) {
    if (observer[hook]) requireFunction(hook, observer[hook]);
  }
  return observer;
}

function warnOnce(): ObserverErrorHandler {
  const warned = new WeakSet<JobObserver>();
  return (error, observer) => {
    if (warned.has(observer)) return;
    warned.add(observer);
    warn(`an observer failed: ${formatValue(error)}`);
  };
}
