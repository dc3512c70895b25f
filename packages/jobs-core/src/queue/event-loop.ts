// Imported, since tests replace the globals.
import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers";

let turn: Promise<void> | undefined;
let beganMs = 0;
let readMs = 0;
/** How many calls are left before the clock is read. For short jobs, reading it each time would cost as much as the job. */
let unread = 0;

/** The clock that tests do not replace. */
export { performance };

/**
 * Returns a promise of the event loop's next turn if 10 ms of work passed without one, else undefined. Call it between
 * jobs: those that wait for nothing slow follow each other in microtasks, and the loop would never turn.
 *
 * @param sinceMs Counts only the work after this moment of `performance.now()`. @default all work since the last turn
 */
export function overdueTurn(sinceMs: number = beganMs): Promise<void> | undefined {
  return unread-- > 0 ? undefined : readClock(sinceMs);
}

/** A function of its own: V8 inlines the count into each start only if it is small. */
function readClock(sinceMs: number): Promise<void> | undefined {
  const nowMs = performance.now();
  unread = nowMs - readMs < 0.05 ? 7 : 0;
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
