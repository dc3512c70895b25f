import { requireText } from "@nidus/jobs-core/adapter";
import { warnOnce } from "../warn-once.ts";

/**
 * Makes a source of run ids that never fails. If `generate` throws or returns no non-empty string, it returns undefined, and a
 * process warning says once that a random id is used.
 */
export function safeRunIds(generate: () => string): () => string | undefined {
  return () => {
    try {
      return requireText("the run id", generate());
    } catch (error) {
      warnOnce(error, generate, "a random run id is used");
      return undefined;
    }
  };
}
