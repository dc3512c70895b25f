import { setTimeout as pause } from "node:timers/promises";

/**
 * Repeats a check until it passes.
 *
 * @throws (rejects with) what the check threw last, once the time is up.
 */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 10_000): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await pause(10);
  }
}
