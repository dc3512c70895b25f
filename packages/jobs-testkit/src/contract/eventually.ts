import { setTimeout as pause } from "node:timers/promises";
import { amended } from "./amended-error.ts";

/** How long a test waits for something to happen. */
const patienceMs = 30_000;

/** How often it looks, at least: on a busy machine, time passes while nothing runs. */
const leastChecks = 100;

const pollMs = 250;

/**
 * Repeats a check until it passes.
 *
 * @throws (rejects with) the last error of the check, once time is up.
 */
export async function eventually<T>(check: () => T | Promise<T>, withinMs: number = patienceMs): Promise<T> {
  const startMs = performance.now();
  for (let checks = 1; ; checks++) {
    try {
      return await check();
    } catch (error) {
      const waitedMs = performance.now() - startMs;
      if (waitedMs > withinMs && checks >= leastChecks) {
        throw amended(error, `\n(still so after ${Math.round(waitedMs / 1000)} s)`);
      }
    }
    await pause(pollMs);
  }
}
