import { requireWholeNumber } from "@nidus/jobs-core/adapter";

/** The clocks of this process while they stand still. */
export interface FakeClock extends Disposable {
  /** Unix time in milliseconds that the clocks show. */
  readonly nowMs: number;
  /**
   * Moves the clocks on by so many milliseconds, a whole number from 1.
   *
   * @throws TypeError or RangeError for anything else; Error once the clock has been disposed of.
   */
  advance(ms: number): void;
  /** Puts the real clocks back. May be repeated. */
  restore(): void;
}

let isInstalled = false;

/**
 * Stops the two clocks that a runner reads, `performance.now` and `Date.now`, until it is disposed of: runs take as long as the
 * test says. Both show Unix time in whole milliseconds, so that durations are exact.
 *
 * `new Date()` and timers go on by the real clock. Fake timers of vitest and of `node:test` replace the same functions: what was
 * installed last is read. Within them, this clock is moved by `advance` alone; so take one or the other, or let them fake
 * timers alone: `vi.useFakeTimers({ toFake: ["setTimeout"] })`, `mock.timers.enable({ apis: ["setTimeout"] })`.
 *
 * Engines also wait by timers, which go on by the real clock: for tests of attempts, backoff and `runAt` take fake timers of your
 * test runner, with their date.
 *
 * They start at `startMs`: Unix time in milliseconds, a whole number from 1, and the present where it is not said.
 *
 * @throws TypeError or RangeError for another start; Error if there is a fake clock already.
 */
export function fakeClock(startMs: number = Date.now()): FakeClock {
  requireWholeNumber("`startMs`", startMs);
  if (isInstalled) throw new Error("there is a fake clock already: restore it first");
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
      if (isRestored) throw new Error("the fake clock has been restored: it moves nothing any more");
      nowMs += ms;
    },
    restore,
    [Symbol.dispose]: restore,
  };
}

/** Replaces a method, inherited or not; the result puts it back. */
function replace<Key extends string>(owner: Record<Key, unknown>, key: Key, by: () => number): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value: by, configurable: true, writable: true });
  return () => {
    if (own === undefined) delete owner[key];
    else Object.defineProperty(owner, key, own);
  };
}
