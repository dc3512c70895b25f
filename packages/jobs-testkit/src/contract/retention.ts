import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";

/** A retention that a test can outwait. Whole seconds, because some stores know no others. */
export const shortRetentionMs = 2_000;

/** A retention that outlasts every test. */
export const longRetentionMs: number = 60 * 60 * 1000;

/** Stores delete in intervals of their own. */
const patienceMs = 90_000;

/**
 * Waits until what has ended is forgotten.
 *
 * @param endedMs - a reading of `performance.now()` from before the end.
 * @throws (rejects with) AssertionError if that came before the retention was over, or does not come.
 */
export async function assertForgotten(
  what: string,
  endedMs: number,
  count: () => Promise<number>,
): Promise<void> {
  await eventually(async () => assert.equal(await count(), 0, `${what} is still there`), patienceMs);
  const keptMs = performance.now() - endedMs;
  // The clocks of two machines may run at slightly different speeds.
  assert.ok(
    keptMs > 0.9 * shortRetentionMs,
    `${what} was forgotten within ${Math.round(keptMs)} ms of ${shortRetentionMs}`,
  );
}
