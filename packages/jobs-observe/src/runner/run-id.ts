import { requireText } from "@nidus/jobs-core/adapter";
import { warnOnce } from "../warn-once.ts";

/**
 * Returns a run id from `generate`. If that throws or returns no non-empty string, it returns undefined, and a process warning
 * says once that a random id is used.
 */
export function runIdFrom(generate: () => string): string | undefined {
  try {
    return requireText("the run id", generate());
  } catch (error) {
    warnOnce(error, generate, "a random run id is used");
    return undefined;
  }
}
