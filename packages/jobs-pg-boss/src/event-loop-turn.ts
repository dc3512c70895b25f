import { setImmediate as nextTurn } from "node:timers/promises";

/** After this long, others get their turn. */
const turnEveryMs = 10;

let turnedAtMs = 0;

/**
 * Gives timers, sockets and signals of this process their turn, if it is due. An embedded database answers in microtasks, which run
 * before all of them.
 */
export async function giveTurnIfDue(): Promise<void> {
  if (performance.now() - turnedAtMs < turnEveryMs) return;
  await nextTurn();
  turnedAtMs = performance.now();
}
