import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob } from "../backend/job-backend.ts";
import { DurableEngine } from "./durable-engine.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { StartableEngine } from "./job-engine.ts";

/**
 * Makes a JobEngine of a backend: validation, serialisation, ids, bounded waits, workers, attempts, backoff and observation. Call
 * `start()` on it if the backend has a `start`.
 *
 * @throws TypeError or RangeError for an option that is not as documented, or not known.
 */
export function createEngine<Job extends LeasedJob, Options extends EnqueueOptions = EnqueueOptions>(
  backend: JobBackend<Job, Options>,
  options: EngineOptions,
): StartableEngine<Options> {
  return new DurableEngine(backend, options);
}
