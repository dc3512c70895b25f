import type { JobError } from "@nidus/jobs-core";
import { propertyOf, requireFunction, requireObject } from "@nidus/jobs-core/adapter";
import type { ObservedJobContext } from "../context/context.ts";
import type {
  DeclaredJobContext,
  EnqueuedJobContext,
  JobProgress,
  SettledJobContext,
} from "../context/delivery.ts";
import { warnOnce } from "../warn-once.ts";
import type { JobObserver, JobResultStatus, OpenedEngineContext } from "./observer.ts";
import { runThroughScopes } from "./scope.ts";

/** Receives what an observer threw or rejected with, and that observer. */
export type ObserverErrorHandler = (error: unknown, observer: JobObserver) => void;

/** A list shows its observers to other copies of this package under this symbol. */
const members = Symbol.for("@nidus/observers");

type ToldHook = "onJobDeclared" | "onEngineOpened" | "onJobEnqueued" | "onJobSettled" | "onJobProgressed";

/**
 * Calls several observers as one. It isolates each from the run and from the others: what one throws or rejects with
 * goes to a handler.
 */
export class ObserverList implements JobObserver {
  readonly #observers: readonly JobObserver[];
  readonly #report: (error: unknown, observer: JobObserver) => Promise<void>;
  /** The observers that may want a scope. A field, since the prototype has exactly the hooks of an observer. */
  readonly scopes: readonly JobObserver[];

  /** @throws TypeError for a value that is no observer. */
  constructor(observers: readonly JobObserver[], onError: ObserverErrorHandler) {
    this.#observers = observers.flatMap(membersOf);
    Object.assign(this, { [members]: this.#observers });
    this.scopes = this.#observers.filter((observer) => "runInScope" in observer);
    this.#report = async (error, observer) => {
      try {
        await onError(error, observer);
      } catch {
        // The handler failed too. The run goes on, and there is no other handler to call.
      }
    };
  }

  // The loops of starts and finishes have indices, and look at what a hook returns before they call `#watch`. V8 inlines
  // code up to a size, and `for … of` takes twice as much of it: a run of one of many classes took 5 to 10 % longer.
  onJobStarted(context: ObservedJobContext): void {
    const observers = this.#observers;
    for (let index = 0; index < observers.length; index++) {
      const observer = observers[index] as JobObserver;
      try {
        const returned: unknown = observer.onJobStarted?.(context);
        if (returned) this.#watch(returned, observer);
      } catch (error) {
        this.#report(error, observer);
      }
    }
  }

  onJobFinished(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void {
    const observers = this.#observers;
    for (let index = observers.length; index-- > 0; ) {
      const observer = observers[index] as JobObserver;
      try {
        const returned: unknown = observer.onJobFinished?.(context, status, error);
        if (returned) this.#watch(returned, observer);
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
    return runThroughScopes(this.scopes, 0, context, run, this.#report);
  }

  /** Hooks return nothing. If one is an async function nevertheless, its rejection goes to the handler. */
  async #watch(returned: unknown, observer: JobObserver): Promise<void> {
    try {
      await returned;
    } catch (error) {
      this.#report(error, observer);
    }
  }
}

/**
 * Combines observers into one that calls them in order. A runner treats the result like a list: its `onObserverError`
 * receives the errors of each observer. Without a runner, the combined observer warns once for each observer that
 * throws.
 *
 * @throws TypeError for a value that is no observer.
 */
export function combineJobObservers(...observers: JobObserver[]): JobObserver {
  return new ObserverList(observers, warnOnce);
}

/** Returns the observers of a list, and any other observer itself. */
function membersOf(observer: JobObserver): readonly JobObserver[] {
  const listed = propertyOf(observer, members);
  if (Array.isArray(listed)) return listed;
  requireObject("an observer", observer);
  // An ObserverList has exactly the hooks of an observer.
  for (const hook of Object.getOwnPropertyNames(ObserverList.prototype) as (keyof JobObserver)[]) {
    if (observer[hook] !== undefined) requireFunction(hook, observer[hook]);
  }
  return [observer];
}
