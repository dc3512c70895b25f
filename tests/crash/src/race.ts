import { setTimeout as pause } from "node:timers/promises";
import "@electric-sql/pglite";
import "@nidus/jobs-pg-boss";
import type { JobEngine } from "@nidus/jobs-durable";
import { openEngine } from "./open-engine.ts";
import { onRequest, report, reportReady, requested } from "./parent.ts";
import { describe } from "./stand-by.ts";
import type { RaceTask } from "./task.ts";

/** Processes that get the request within this time open at the same moment, by the clock that they share. */
const startsEveryMs = 500;

/** Tries to open an engine at each request of the parent, and reports the result. */
export async function race({ engine: engineTask }: RaceTask): Promise<void> {
  const stop = requested("stop");
  let opening: Promise<JobEngine | undefined> = Promise.resolve(undefined);
  onRequest((request) => {
    if (request === "open") opening = open(engineTask);
  });
  reportReady(engineTask);
  await stop;
  await (await opening)?.close();
}

async function open(engineTask: RaceTask["engine"]): Promise<JobEngine | undefined> {
  await pause(startsEveryMs - (Date.now() % startsEveryMs));
  const beganMs = performance.now();
  try {
    const engine = await openEngine(engineTask, () => {});
    report({ type: "opened" });
    return engine;
  } catch (error) {
    report({ type: "refused", ...describe(error), tookMs: performance.now() - beganMs });
    return undefined;
  }
}
