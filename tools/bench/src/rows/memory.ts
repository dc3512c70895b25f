import { AsyncJobQueue, asyncJob, job } from "@nidus/jobs-core";
import { production } from "@nidus/observability";
import type { Reading } from "../comparison.ts";

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("memory is measured with node --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function heapPerQueuedJob(): number {
  const count = 1_000_000;
  const jobs = Array.from({ length: count }, () => asyncJob("job", async () => {}));
  const before = heapBytes();
  const queue = new AsyncJobQueue();
  queue.pushAll(jobs);
  const bytes = (heapBytes() - before) / count;
  // Keeps both alive until here.
  return queue.size === jobs.length ? bytes : Number.NaN;
}

async function drainMs(count: number): Promise<number> {
  const queue = new AsyncJobQueue();
  queue.pushAll(Array.from({ length: count }, () => asyncJob("job", async () => {})));
  const startMs = performance.now();
  const { completed } = await queue.drain();
  if (completed.length !== count) throw new Error("a drain lost jobs");
  return performance.now() - startMs;
}

/** Measures the bytes by which the heap grew from the first million observed runs to the last. */
function heapGrowth(runs: number): number {
  const runner = production("bench").prometheus().jobRunner();
  const work = job("send_digest", () => {});
  for (let i = 0; i < 1_000_000; i++) runner.run(work);
  const before = heapBytes();
  for (let i = 1_000_000; i < runs; i++) runner.run(work);
  return heapBytes() - before;
}

export async function memoryReadings(runs: number): Promise<Reading[]> {
  const perJob = heapPerQueuedJob();
  await drainMs(100_000);
  const [small, large] = [await drainMs(100_000), await drainMs(1_000_000)];
  return [
    {
      id: "heap-per-job",
      title: "heap per queued job, beyond the job itself",
      unit: "bytes",
      value: perJob,
      asked: { atMost: 16 },
    },
    {
      id: "drain-linear",
      title: "drain of 1,000,000 jobs over ten drains of 100,000",
      unit: "x",
      value: large / (10 * small),
      asked: { atMost: 1.5 },
      note: `1,000,000 jobs drained in ${large.toFixed(0)} ms`,
    },
    {
      id: "heap-growth",
      title: `growth of the heap over ${(runs / 1e6).toFixed(0)} million observed runs`,
      unit: "KiB",
      value: heapGrowth(runs) / 1024,
      asked: { atMost: 256 },
    },
  ];
}
