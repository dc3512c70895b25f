import type { JobEngine } from "@nidus/jobs-durable";
import { performing } from "./overriding.ts";

/** Takes a snooze for a failure. */
export function failingSnoozes(engine: JobEngine): JobEngine {
  return performing(engine, (job) => (stored, context) => {
    const snooze = (): never => {
      throw new Error("later");
    };
    return job.perform(stored, { ...context, snooze });
  });
}

/** Snoozes, whatever the handler does about it. */
export function insistingOnSnoozes(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    let snoozed: unknown;
    const snooze = (ms: number): never => {
      try {
        return context.snooze(ms);
      } catch (error) {
        snoozed = error;
        throw error;
      }
    };
    const result = await job.perform(stored, { ...context, snooze }).catch(() => {});
    if (snoozed !== undefined) throw snoozed;
    return result;
  });
}

/** Takes a snooze for a failure if the signal is aborted. */
export function failingLateSnoozes(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    const startMs = performance.now();
    try {
      return await job.perform(stored, context);
    } catch (error) {
      const isLate = performance.now() - startMs > (job.timeoutMs ?? Infinity);
      throw isLate || context.signal.aborted ? new Error("too late") : error;
    }
  });
}

/** Takes any time for a snooze. Without at least a millisecond, the job would come again before the clock of the test could go on. */
export function takingAnySnooze(engine: JobEngine): JobEngine {
  return performing(engine, (job) => (stored, context) => {
    const snooze = (ms: number): never => context.snooze(Math.max(1, Math.trunc(Number(ms) % 1_000) || 1));
    return job.perform(stored, { ...context, snooze });
  });
}
