import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";

/** An engine's own work, observed by those who asked for it when the engine was opened. */
export class Bookkeeping {
  readonly #runner: ObservedJobRunner | undefined;

  constructor(observers: readonly JobObserver[], onError: (error: unknown) => void) {
    if (observers.length > 0) this.#runner = new ObservedJobRunner(observers, { onObserverError: onError });
  }

  /** Does a piece of work, and changes nothing for it. */
  run<T>(kind: string, work: () => Promise<T>): Promise<T> {
    return this.#runner === undefined ? work() : this.#runner.runAsync({ name: kind, run: work });
  }

  /** Begins work that goes on by itself, apart from whatever the caller is doing: its timers and promises belong to the engine. */
  begin<T extends object>(kind: string, work: () => T): T {
    if (this.#runner === undefined) return work();
    let begun: T | undefined;
    const run = (): void => {
      begun = work();
    };
    this.#runner.run({ name: kind, run });
    return begun as unknown as T;
  }
}
