import type { JobEngine, JobWorker } from "@nidus/jobs-durable";
import { overriding } from "./overriding.ts";

/** Changes the worker that an engine starts. */
function changingWorkers(engine: JobEngine, change: (worker: JobWorker) => Partial<JobWorker>): JobEngine {
  return overriding(engine, {
    async work(options) {
      const worker = await engine.work(options);
      return overriding(worker, change(worker));
    },
  });
}

/** Says that its concurrency has changed, and goes on as before. */
export function keepingItsConcurrency(engine: JobEngine): JobEngine {
  return changingWorkers(engine, ({ concurrency }) => ({ concurrency }));
}

/** Never starts fewer jobs than before. */
export function growingOnly(engine: JobEngine): JobEngine {
  return changingWorkers(engine, (worker) => ({
    get concurrency() {
      return worker.concurrency;
    },
    set concurrency(concurrency: number) {
      worker.concurrency = Math.max(concurrency, worker.concurrency);
    },
  }));
}

/** Takes the nearest number that works. */
export function takingAnyConcurrency(engine: JobEngine): JobEngine {
  return changingWorkers(engine, (worker) => ({
    get concurrency() {
      return worker.concurrency;
    },
    set concurrency(concurrency: number) {
      worker.concurrency = Math.max(1, Math.trunc(Number(concurrency)) || 1);
    },
  }));
}
