// Of the modules: tests replace the global ones.
import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers";

/** Milliseconds of work after which timers, sockets and signals get their turn. */
const shareMs = 10;

/**
 * How many pieces of work may start before {@link overdueTurn} is called again: 1, or 8 if they are so small that a clock read
 * before each would cost as much as they do.
 */
export let uncheckedStarts = 1;

let turn: Promise<void> | undefined;
let beganMs = 0;
let readMs = 0;

/** The time in milliseconds, by the clock that {@link overdueTurn} reads. */
export function clockMs(): number {
  return performance.now();
}

/**
 * Returns a promise of the event loop's next turn if there was none for 10 ms of work, else undefined. Work that waits for
 * nothing slow follows in microtasks, and the loop would not turn.
 *
 * @param sinceMs counts only the work after this moment of {@link clockMs}.
 */
export function overdueTurn(sinceMs: number): Promise<void> | undefined {
  const nowMs = clockMs();
  uncheckedStarts = nowMs - readMs < 0.05 ? 8 : 1;
  readMs = nowMs;
  if (turn) return nowMs - Math.max(beganMs, sinceMs) < shareMs ? undefined : turn;
  beganMs = nowMs;
  turn = new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  return undefined;
}
