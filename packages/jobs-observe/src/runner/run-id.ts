import { requireText } from "@nidus/jobs-core/adapter";
import { warnOnce } from "../warn-once.ts";

/** Returns a random UUID (version 4). */
export function randomRunId(): string {
  return crypto.randomUUID();
}

/**
 * Makes a source of run ids that never fails. If `generate` throws or returns no non-empty string, a random UUID is
 * used instead, and a process warning says so once.
 */
export function safeRunIds(generate: () => string): () => string {
  return () => {
    try {
      return requireText("the run id", generate());
    } catch (error) {
      warnOnce(error, generate, "a random run id is used");
      return randomRunId();
    }
  };
}
