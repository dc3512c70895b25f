import { requireWholeNumber } from "@nidus/jobs-core/adapter";
import { createEngine, type EngineOptions } from "../durable-engine.ts";
import type { JobEngine } from "../engine.ts";
import { defaultRetention, type RetentionOptions } from "../retention.ts";
import { requireEngineOptions } from "../validation.ts";
import { MemoryBackend } from "./memory-backend.ts";

/** Options of {@link memoryEngine}. */
export interface MemoryEngineOptions extends EngineOptions, RetentionOptions {}

/**
 * An engine in the memory of this process, for tests and development: everything that the other engines do, except that it
 * keeps nothing when the process ends, and has no schedules.
 *
 * @throws TypeError or RangeError for an option that is not as documented.
 */
export function memoryEngine(options: MemoryEngineOptions): JobEngine {
  requireEngineOptions(options, ["retainSucceededMs", "retainDeadLettersMs"]);
  const {
    retainSucceededMs = defaultRetention.retainSucceededMs,
    retainDeadLettersMs = defaultRetention.retainDeadLettersMs,
    ...common
  } = options;
  requireWholeNumber("`retainSucceededMs`", retainSucceededMs);
  requireWholeNumber("`retainDeadLettersMs`", retainDeadLettersMs);
  return createEngine(new MemoryBackend(retainSucceededMs, retainDeadLettersMs), common);
}
