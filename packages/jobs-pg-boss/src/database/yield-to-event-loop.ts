import { setImmediate } from "node:timers";
import { setImmediate as nextTurn } from "node:timers/promises";

/** The time after which timers, sockets and signals get their turn. */
const yieldEveryMs = 10;

/** When the first statement since the last turn of the event loop began. */
let turnedAtMs: number | undefined;

/**
 * Lets the event loop run timers, sockets and signals, if statements have run for 10 ms without a turn of it. An embedded database answers
 * in microtasks, which run before all of them. A server never does, so that no statement to one waits here.
 */
export async function yieldToEventLoop(): Promise<void> {
  if (turnedAtMs !== undefined && performance.now() - turnedAtMs >= yieldEveryMs) await nextTurn();
  if (turnedAtMs !== undefined) return;
  turnedAtMs = performance.now();
  setImmediate(() => {
    turnedAtMs = undefined;
  });
}
