import { setTimeout as delay } from "node:timers/promises";
import type { DigestEngine } from "./digest-engine.ts";

/** Between two looks at what others do. */
const lookEveryMs = 250;

/**
 * Resolves when all of these jobs have ended, or soon after the signal was aborted. What runs here is known at once; for what others
 * have run, or run now, the engine is asked every now and then. While it is out of reach, this waits for it to come back.
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
    // The last one may have been recorded a moment before its observers hear of it.
    emptyLooks = left === 0 ? emptyLooks + 1 : 0;
    if (emptyLooks === 2) return;
  }
}

/** Resolves when no digest is left, whoever enqueued it, or soon after the signal was aborted. */
export async function untilNoneIsLeft({ countLeft }: DigestEngine, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await countLeft()) > 0) await pause(signal);
}

async function pause(signal: AbortSignal): Promise<void> {
  // An abort ends it early, which is what it is for.
  await delay(lookEveryMs, undefined, { signal }).catch(() => {});
}
