import { vi } from "vitest";

/** A turn of the event loop, whatever is faked. */
const nextTurn = globalThis.setImmediate;

/** No test of the contract is about less. */
const stepMs = 5;

/**
 * Does work that waits more than it computes, on a clock that goes as fast as it computes: whatever else the machine does, no two
 * things come in another order. Work that waits by `node:timers/promises` needs a mock of it, `fake-pause.ts`.
 */
export async function inQuickTime<T>(work: () => Promise<T>): Promise<T> {
  vi.useFakeTimers();
  // Checks fail thousands of times until they pass, and the stacks of their errors would take a third of the computing.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    let isOver = false;
    const working = work().finally(() => {
      isOver = true;
    });
    while (!isOver) {
      vi.advanceTimersByTime(stepMs);
      await new Promise<void>((resolve) => void nextTurn(resolve));
    }
    return await working;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    vi.useRealTimers();
  }
}

/** How many pieces of work share a clock: at each step, it looks at every timer that waits. */
const atOnce = 8;

/** Does work for each item in quick time, some items at once. */
export async function eachInQuickTime<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += atOnce) {
    await inQuickTime(() => Promise.all(items.slice(start, start + atOnce).map(work)));
  }
}
