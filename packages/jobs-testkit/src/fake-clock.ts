import { requireWholeNumber } from "@nidus/jobs-core/adapter";

/** Controls the clocks of this process while they stand still. */
export interface FakeClock extends Disposable {
  /** The Unix time in milliseconds that the clocks show. */
  readonly nowMs: number;
  /**
   * Moves the clocks on by this number of milliseconds, a whole number from 1.
   *
   * @throws TypeError or RangeError for an invalid number; Error if the clock has been restored.
   */
  advance(ms: number): void;
  /** Restores the real clocks. You may call it again. */
  restore(): void;
}

let isInstalled = false;

/**
 * Stops the two clocks that a runner reads, `performance.now` and `Date.now`, until you restore them. Runs then take as long as your
 * test says. Both clocks show Unix time in whole milliseconds, so that durations are exact.
 *
 * `new Date()` and timers go on by the real clock. Fake timers of vitest and of `node:test` replace the same functions, and the clock
 * that was installed last wins. Use one of the two, or let your test runner fake timers alone:
 * `vi.useFakeTimers({ toFake: ["setTimeout"] })`, `mock.timers.enable({ apis: ["setTimeout"] })`.
 *
 * Engines also wait by timers, which this clock does not move. To test attempts, backoff and `runAt`, use the fake timers and the
 * fake date of your test runner.
 *
 * The clocks start at `startMs`: Unix time in milliseconds, a whole number from 1. @default the present
 *
 * @throws TypeError or RangeError for an invalid start; Error if there already is a fake clock.
 */
export function fakeClock(startMs: number = Date.now()): FakeClock {
  requireWholeNumber("`startMs`", startMs);
  if (isInstalled) throw new Error("there already is a fake clock: restore it first");
  let nowMs = startMs;
  const read = (): number => nowMs;
  const restorers = [replace(performance, "now", read), replace(Date, "now", read)];
  isInstalled = true;
  let isRestored = false;

  const restore = (): void => {
    if (isRestored) return;
    isRestored = true;
    isInstalled = false;
    for (const each of restorers) each();
  };

  return {
    get nowMs() {
      return nowMs;
    },
    advance(ms) {
      requireWholeNumber("`ms`", ms);
      if (isRestored) throw new Error("the fake clock has been restored, so `advance` cannot move it");
      nowMs += ms;
    },
    restore,
    [Symbol.dispose]: restore,
  };
}

/** Replaces a method, inherited or not. Returns the function that restores it. */
function replace<Key extends string>(owner: Record<Key, unknown>, key: Key, by: () => number): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value: by, configurable: true, writable: true });
  return () => {
    if (own === undefined) delete owner[key];
    else Object.defineProperty(owner, key, own);
  };
}
