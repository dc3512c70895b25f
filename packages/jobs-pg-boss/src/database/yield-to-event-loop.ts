import { setImmediate as nextTurn } from "node:timers/promises";

/** The time after which timers, sockets and signals get their turn. */
const yieldEveryMs = 10;

let yieldedAtMs = 0;

/**
 * Lets the event loop run timers, sockets and signals, if 10 ms have passed since the last time. An embedded database answers in
 * microtasks, which run before all of them.
 */
export async function yieldToEventLoop(): Promise<void> {
  if (performance.now() - yieldedAtMs < yieldEveryMs) return;
  await nextTurn();
  yieldedAtMs = performance.now();
}
