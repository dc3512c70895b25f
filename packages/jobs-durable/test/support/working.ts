import { ObservedJobRunner } from "@nidus/jobs-observe";
import { createEngine, type EngineOptions } from "../../src/backend.ts";
import type { AnyDurableJob, JobEngine, JobWorker } from "../../src/index.ts";
import { Recorder } from "./recorder.ts";
import { ScriptedBackend, type ScriptedConsumer } from "./scripted-backend.ts";

/** A worker at work on a scripted consumer, and what it is watched by. */
export interface Working {
  readonly engine: JobEngine;
  readonly worker: JobWorker;
  readonly backend: ScriptedBackend;
  readonly recorder: Recorder;
  /** The errors that `onError` heard. */
  readonly errors: unknown[];
}

export async function startWork(
  consumer: ScriptedConsumer,
  job: AnyDurableJob,
  { concurrency, ...options }: { readonly concurrency?: number } & Partial<EngineOptions> = {},
): Promise<Working> {
  const backend = new ScriptedBackend(consumer);
  const recorder = new Recorder();
  const errors: unknown[] = [];
  const engine = createEngine(backend, {
    runner: new ObservedJobRunner(recorder),
    onError: (error) => errors.push(error),
    ...options,
  });
  const worker = await engine.work({ jobs: [job], concurrency });
  return { engine, worker, backend, recorder, errors };
}
