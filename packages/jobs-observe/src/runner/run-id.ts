import { formatValue, requireText, warn } from "@nidus/jobs-core/adapter";

/** A random UUID (version 4). */
export function randomRunId(): string {
  return crypto.randomUUID();
}

/**
 * A source of run ids that cannot fail: what `generate` throws, or returns other than a non-empty string, is warned about
 * once, and a random UUID takes its place.
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
