import { setTimeout as pause } from "node:timers/promises";

/** Below the limit of a test, so that what does not come is named; far above what anything takes on a machine that does much else. */
const withinMs = 200_000;

/** Resolves once this holds. @throws (rejects with) Error with the complaint, if it never does. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  complaint: () => string,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(complaint());
    await pause(25);
  }
}
