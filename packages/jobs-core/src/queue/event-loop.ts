// Imported, since tests replace the globals.
import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers";

/** The clock that tests do not replace. */
export { performance };

/**
 * How many jobs may start before the next call of {@link overdueTurn}: 1, or 8 for very short jobs. For these, a clock
 * read before each would cost as much as the job.
 */
export let uncheckedStarts = 1;

let turn: Promise<void> | undefined;
let beganMs = 0;
let readMs = 0;

/**
 * Returns a promise of the event loop's next turn if 10 ms of work passed without one, else undefined. Jobs that wait
 * for nothing slow follow each other in microtasks, and the loop would never turn.
 *
 * @param sinceMs Counts only the work after this moment of `performance.now()`. @default all work since the last turn
 */
export function overdueTurn(sinceMs: number = beganMs): Promise<void> | undefined {
  const nowMs = performance.now();
  uncheckedStarts = nowMs - readMs < 0.05 ? 8 : 1;
  readMs = nowMs;
  if (turn) return nowMs - sinceMs < 10 ? undefined : turn;
  beganMs = nowMs;
  turn = new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  return undefined;
}
