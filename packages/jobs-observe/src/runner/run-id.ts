import { formatValue, requireText, warn } from "@nidus/jobs-core/adapter";

/** Returns a random UUID (version 4). */
export function randomRunId(): string {
  return crypto.randomUUID();
}

/**
 * Makes a source of run ids that never fails. If `generate` throws or returns no non-empty string, a random UUID is
 * used instead, and a process warning says so once.
 */
export function safeRunIds(generate: () => string): () => string {
  let isWarned = false;
  return () => {
    try {
      return requireText("the run id", generate());
    } catch (error) {
      if (!isWarned) warn(`a random run id is used: ${formatValue(error)}`);
      isWarned = true;
      return randomRunId();
    }
  };
}
