import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { openEngine, workJob } from "./open-engine.ts";
import { report, reportReady, requested } from "./parent.ts";
import type { ProduceTask } from "./task.ts";

/** The longest run of a produced job. Some jobs end at once, others still run when their process is killed. */
const maxRunMs = 60;

/** Enqueues until the parent says stop. The log lists acknowledged jobs. */
export async function produce({ engine: engineTask, log, pauseMs }: ProduceTask): Promise<void> {
  let isStopping = false;
  requested("stop").then(() => {
    isStopping = true;
  });
  const engine = await openEngine(engineTask, (error) => report({ type: "error", message: String(error) }));
  const job = workJob();
  reportReady(engineTask);
  for (let number = 0; !isStopping; number++) {
    try {
      const payloads = Array.from({ length: number % 10 === 9 ? 5 : 1 }, (_, index) => ({
        runMs: (number * 7 + index * 13) % maxRunMs,
      }));
      const [first = { runMs: 0 }] = payloads;
      const enqueued =
        payloads.length === 1 ? [await engine.enqueue(job, first)] : await engine.enqueueMany(job, payloads);
      appendFileSync(log, enqueued.map(({ id }) => `${id}\n`).join(""));
    } catch (error) {
      // Not acknowledged. The job may still have been stored.
      report({ type: "error", message: String(error) });
      await pause(50);
    }
    await pause(pauseMs);
  }
  await engine.close();
}
