import { setTimeout as pause } from "node:timers/promises";

/** When to give up on what does not come. It says nothing on speed: the machine may do much else. */
const patienceMs = 120_000;

/**
 * Repeats a check until it passes.
 *
 * @throws (rejects with) what the check threw last, once the time is up.
 */
export async function eventually<T>(check: () => T | Promise<T>, withinMs: number = patienceMs): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await pause(25);
  }
}
