import { setTimeout as delay } from "node:timers/promises";
import type { DigestEngine } from "./digest-engine.ts";

/** How often to ask the engine what other processes have done, in milliseconds. */
const lookEveryMs = 250;

/**
 * Resolves when all of these jobs have ended, or soon after the signal is aborted. It learns at once of jobs that run
 * here. For jobs of other processes, it asks the engine now and then. If the engine is unreachable, it waits for it.
 */
export async function untilEnded(
  { tracker, countLeft }: DigestEngine,
  ids: ReadonlySet<string>,
  signal: AbortSignal,
  onLeft: (digests: number) => void = () => {},
): Promise<void> {
  let isOver = false;
  const endedHere = tracker.settled(ids).then(() => {
    isOver = true;
  });
  let emptyLooks = 0;
  while (!signal.aborted && !isOver) {
    await Promise.race([endedHere, pause(signal)]);
    if (signal.aborted || isOver) return;
    const left = await countLeft().catch(() => undefined);
    if (left !== undefined) onLeft(left);
    // The last job may be recorded a moment before its observers hear of it.
    emptyLooks = left === 0 ? emptyLooks + 1 : 0;
    if (emptyLooks === 2) return;
  }
}

/** Resolves when no digest is left, of any process, or soon after the signal is aborted. */
export async function untilNoneIsLeft({ countLeft }: DigestEngine, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await countLeft()) > 0) await pause(signal);
}

async function pause(signal: AbortSignal): Promise<void> {
  // An abort ends the pause early.
  await delay(lookEveryMs, undefined, { signal }).catch(() => {});
}
