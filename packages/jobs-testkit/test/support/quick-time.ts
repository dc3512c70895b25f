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
    vi.useRealTimers();
  }
}
