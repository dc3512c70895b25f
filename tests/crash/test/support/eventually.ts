import { setTimeout as pause } from "node:timers/promises";

/** Below the limit of a test, so that the error names the missing event. Far above any duration on a busy machine. */
const withinMs = 200_000;

/** Resolves when `holds` returns true. @throws (rejects with) Error with the complaint, if it never does. */
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
