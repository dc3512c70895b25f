// Imported, since tests replace the globals.
import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers";

/** How many milliseconds jobs work before timers, sockets and signals get a turn. */
const shareMs = 10;

/**
 * How many jobs may start before the next call of {@link overdueTurn}: 1, or 8 for very short jobs. For these, a clock
 * read before each would cost as much as the job.
 */
export let uncheckedStarts = 1;

let turn: Promise<void> | undefined;
let beganMs = 0;
let readMs = 0;

/** Returns the time in milliseconds, by the clock that {@link overdueTurn} reads. */
export function clockMs(): number {
  return performance.now();
}

/**
 * Returns a promise of the event loop's next turn if 10 ms of work passed without one, else undefined. Jobs that wait
 * for nothing slow follow each other in microtasks, and the loop would never turn.
 *
 * @param sinceMs Counts only the work after this moment of {@link clockMs}. @default all work since the last turn
 */
export function overdueTurn(sinceMs = 0): Promise<void> | undefined {
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
