import { ObservedJobRunner } from "@nidus/jobs-observe";
import {
  type AnyDurableJob,
  DurableEngine,
  type DurableEngineOptions,
  type FetchedJob,
  type JobWorker,
} from "../../src/index.ts";
import { Recorder } from "./recorder.ts";
import { ScriptedBackend, type ScriptedSource } from "./scripted-backend.ts";

/** A worker at work on a scripted source, and what it is watched by. */
export interface Working {
  readonly engine: DurableEngine<FetchedJob>;
  readonly worker: JobWorker;
  readonly backend: ScriptedBackend;
  readonly recorder: Recorder;
  /** What `onError` heard. */
  readonly errors: unknown[];
}

export async function startWork(
  source: ScriptedSource,
  job: AnyDurableJob,
  { concurrency, ...options }: { readonly concurrency?: number } & Partial<DurableEngineOptions> = {},
): Promise<Working> {
  const backend = new ScriptedBackend(source);
  const recorder = new Recorder();
  const errors: unknown[] = [];
  const engine = new DurableEngine(backend, {
    runner: new ObservedJobRunner(recorder),
    onError: (error) => errors.push(error),
    ...options,
  });
  const worker = await engine.work({ jobs: [job], concurrency });
  return { engine, worker, backend, recorder, errors };
}
