import { setTimeout as pause } from "node:timers/promises";

const pollMs = 20;

/**
 * Repeats an assertion until it holds. Engines that poll may take a second or two for what others do at once.
 *
 * @throws (rejects with) what the assertion threw last, when the time is up.
 */
export async function eventually(assertion: () => unknown, withinMs = 12_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() >= endMs) throw error;
    }
    await pause(pollMs);
  }
}
