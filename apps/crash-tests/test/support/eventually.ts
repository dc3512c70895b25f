import { setTimeout as pause } from "node:timers/promises";

/** Resolves once this holds. @throws (rejects with) Error with the complaint, if it does not in time. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  complaint: () => string,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(complaint());
    await pause(25);
  }
}
