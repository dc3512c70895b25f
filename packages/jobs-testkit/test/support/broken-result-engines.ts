import { setTimeout as pause } from "node:timers/promises";
import type { JobEngine } from "@nidus/jobs-durable";
import { overriding, performing } from "./overriding.ts";

/** Does not store what handlers return. */
export function forgettingResults(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    await job.perform(stored, context);
  });
}

/** Stores of a result what JSON.stringify makes of it. */
export function storingAnyResult(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    const result = await job.perform(stored, context);
    return typeof result === "string" ? result.slice(0, 100) : JSON.parse(JSON.stringify(result ?? null));
  });
}

/** Takes a result that is no JSON for a failure. */
export function failingForResults(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    const result = await job.perform(stored, context);
    if (typeof result === "function") throw new TypeError("the result is no JSON");
    return result;
  });
}

/** Gives all callers of one job the same object. */
export function sharingResults(engine: JobEngine): JobEngine {
  const results = new Map<string, Promise<unknown>>();
  return overriding(engine, {
    result(jobId, options) {
      if (options?.signal !== undefined || options?.timeoutMs !== 60_000)
        return engine.result(jobId, options);
      const shared = results.get(jobId) ?? engine.result(jobId, options);
      results.set(jobId, shared);
      return shared;
    },
  });
}

/** Waits for as long as it takes. */
export function waitingForResults(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async result(jobId, options) {
      if (options?.signal?.aborted || options?.timeoutMs !== 1) return engine.result(jobId, options);
      return engine.result(jobId, { timeoutMs: 60_000 });
    },
  });
}

/** Waits on when the engine is closed. */
export function waitingBeyondTheEnd(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async result(jobId, options) {
      try {
        return await engine.result(jobId, options);
      } catch (error) {
        if (/closed/.test(String(error))) await pause(60_000);
        throw error;
      }
    },
  });
}
