import { type RetentionOptions, requireRetention } from "../backend/retention.ts";
import { createEngine } from "../engine/create-engine.ts";
import { type EngineOptions, requireEngineOptions } from "../engine/engine-options.ts";
import type { JobEngine } from "../engine/job-engine.ts";
import { MemoryBackend } from "./memory-backend.ts";

/** Options of {@link memoryEngine}. */
export interface MemoryEngineOptions extends EngineOptions, RetentionOptions {}

/**
 * An engine in the memory of this process, for tests and development: everything that the other engines do, except that it
 * keeps nothing when the process ends.
 *
 * @throws TypeError or RangeError for an option that is not as documented.
 */
export function memoryEngine(options: MemoryEngineOptions): JobEngine {
  requireEngineOptions(options, ["retainSucceededMs", "retainDeadLettersMs"]);
  const { runner, name, answerWithinMs, onError } = options;
  const { retainSucceededMs, retainDeadLettersMs } = requireRetention(options);
  const backend = new MemoryBackend(retainSucceededMs, retainDeadLettersMs);
  return createEngine(backend, { runner, name, answerWithinMs, onError });
}
