import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { openEngine, workJob } from "./open-engine.ts";
import { onRequest, report, reportReady, requested } from "./parent.ts";
import type { StandByTask } from "./task.ts";

/** Opens an engine and answers the parent until the parent says stop. Also reports an engine that does not open. */
export async function standBy({ engine: engineTask, idleNames = [] }: StandByTask): Promise<void> {
  const stop = requested("stop");
  const beganMs = performance.now();
  let engine: JobEngine;
  try {
    engine = await openEngine(engineTask, (error) => report({ type: "error", message: String(error) }));
  } catch (error) {
    report({ type: "refused", ...describe(error), tookMs: performance.now() - beganMs });
    return;
  }
  const jobs = idleNames.map((name) => defineJob<unknown>({ name, run: () => {} }));
  if (jobs.length > 0) await engine.work({ jobs, concurrency: 10 });
  onRequest((request) => {
    if (request === "enqueue") enqueue(engine);
    if (request === "cpu") {
      const { user, system } = process.cpuUsage();
      report({ type: "cpu", userAndSystemMs: (user + system) / 1000 });
    }
  });
  reportReady(engineTask);
  await stop;
  await engine.close();
}

async function enqueue(engine: JobEngine): Promise<void> {
  const beganMs = performance.now();
  try {
    const { id } = await engine.enqueue(workJob(), { runMs: 0 });
    report({ type: "enqueued", id });
  } catch (error) {
    report({ type: "refused", ...describe(error), tookMs: performance.now() - beganMs });
  }
}

/** Describes an error to the parent. */
export function describe(error: unknown): { name: string; message: string } {
  const { name, message } = error as Error;
  return { name, message };
}
