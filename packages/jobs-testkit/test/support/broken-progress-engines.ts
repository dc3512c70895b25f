import type { JobEngine } from "@nidus/jobs-durable";
import { performing } from "./overriding.ts";

/** Takes no reports. */
export function ignoringProgress(engine: JobEngine): JobEngine {
  return performing(engine, (job) => (stored, context) => job.perform(stored, { ...context, progress() {} }));
}

/** Takes the first report of each run. */
export function takingFirstReports(engine: JobEngine): JobEngine {
  return performing(engine, (job) => (stored, context) => {
    let isFirst = true;
    const progress = (fraction: number, note?: string): void => {
      if (isFirst) context.progress(fraction, note);
      isFirst = false;
    };
    return job.perform(stored, { ...context, progress });
  });
}

/** Takes any report. */
export function takingAnyReport(engine: JobEngine): JobEngine {
  return performing(engine, (job) => (stored, context) => {
    const progress = (fraction: number, note?: string): void => {
      context.progress(Math.min(1, Math.max(0, Number(fraction) || 0)), note && String(note).slice(0, 10));
    };
    return job.perform(stored, { ...context, progress });
  });
}
