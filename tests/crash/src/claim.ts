import { setTimeout as pause } from "node:timers/promises";
import { openEngine, workJob } from "./open-engine.ts";
import { onRequest, report, reportReady, requested } from "./parent.ts";
import type { ClaimTask } from "./task.ts";

/** Processes that get the request within this time enqueue at the same moment, by the clock that they share. */
const startsEveryMs = 500;

/** How many times each process enqueues. */
const callers = 5;

/** Enqueues several jobs with one unique key at each request of the parent, and reports what became of each. */
export async function claim({ engine: engineTask, uniqueKey }: ClaimTask): Promise<void> {
  const stop = requested("stop");
  const engine = await openEngine(engineTask, (error) => report({ type: "error", message: String(error) }));
  onRequest(async (request) => {
    if (request !== "enqueue") return;
    await pause(startsEveryMs - (Date.now() % startsEveryMs));
    const enqueued = await Promise.all(
      Array.from({ length: callers }, () => engine.enqueue(workJob(), { runMs: 0 }, { uniqueKey })),
    );
    report({ type: "claimed", enqueued });
  });
  reportReady(engineTask);
  await stop;
  await engine.close();
}
