import { type DurableJob, defineJob, type JobEngine, type JobHandlerContext } from "@nidus/jobs-durable";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import type { Work } from "./payload.ts";
import type { EngineTask } from "./task.ts";

/** Opens the engine of a task. Loads only the package of that engine. */
export async function openEngine(
  { kind, place, space, leaseMs, answerWithinMs }: EngineTask,
  onError: (error: unknown) => void,
  observers: JobObserver[] = [],
): Promise<JobEngine> {
  const options = { runner: new ObservedJobRunner(observers), leaseMs, answerWithinMs, onError };
  if (kind === "bullmq") {
    const { bullmqEngine } = await import("@nidus/jobs-bullmq");
    return bullmqEngine({ ...options, connection: { url: place }, queue: space });
  }
  const { pgBossEngine } = await import("@nidus/jobs-pg-boss");
  return kind === "pg-boss"
    ? pgBossEngine({ ...options, connectionString: place, schema: space })
    : pgBossEngine({ ...options, dataDir: place, schema: space });
}

/** Defines the job of the crash tests. Its payload decides its behaviour. */
export function workJob(
  run: (work: Work, context: JobHandlerContext) => unknown = () => {},
): DurableJob<Work> {
  return defineJob<Work>({ name: "work", maxAttempts: 20, backoff: { baseMs: 50, maxMs: 200 }, run });
}
