import { requireText } from "@nidus/jobs-core/adapter";

/**
 * Run ids that can be written down in a test, for `runner.runIdGenerator(…)`: "run-1", "run-2" and so on.
 *
 * @throws TypeError for a prefix that is not a non-empty string.
 */
export function sequentialRunIds(prefix: string = "run"): () => string {
  requireText("`prefix`", prefix);
  let count = 0;
  return () => `${prefix}-${++count}`;
}
