import { requireText } from "@nidus/jobs-core/adapter";

/**
 * Makes predictable run ids for `runner.runIdGenerator(…)`: "run-1", "run-2" and so on.
 *
 * @throws TypeError if the prefix is not a non-empty string.
 */
export function sequentialRunIds(prefix: string = "run"): () => string {
  requireText("`prefix`", prefix);
  let count = 0;
  return () => `${prefix}-${++count}`;
}
