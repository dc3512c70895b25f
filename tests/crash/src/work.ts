import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { openEngine, workJob } from "./open-engine.ts";
import { report, reportReady, requested } from "./parent.ts";
import type { WorkTask } from "./task.ts";

/** Runs jobs until the parent says stop. */
export async function work({ engine: engineTask, log, concurrency }: WorkTask): Promise<void> {
  const stop = requested("stop");
  const engine = await openEngine(engineTask, (error) => report({ type: "error", message: String(error) }), [
    {
      onJobSettled: ({ delivery, outcome }) => {
        appendFileSync(log, `${outcome} ${delivery.jobId}\n`);
        // "stalled" is about an earlier worker that died. The job continues here.
        if (outcome !== "stalled") report({ type: "settled", id: delivery.jobId, outcome });
      },
    },
  ]);
  const job = workJob(async ({ runMs, deadlyAttempts = 0, waitsForWord }, { delivery }) => {
    const { jobId: id = "", attempt = 1 } = delivery ?? {};
    appendFileSync(log, `started ${id}\n`);
    await pause(runMs);
    if (attempt <= deadlyAttempts) process.kill(process.pid, "SIGKILL");
    appendFileSync(log, `ran ${id}\n`);
    if (waitsForWord) {
      const word = requested("return");
      report({ type: "ran", id });
      await word;
    }
  });
  await engine.work({ jobs: [job], concurrency });
  reportReady(engineTask);
  await stop;
  await engine.close();
}
