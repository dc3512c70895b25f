import { setTimeout as pause } from "node:timers/promises";
import { type App, type EnqueuedRun, openApp } from "./app.ts";
import type { Arguments } from "./arguments.ts";
import { startService } from "./service.ts";

/**
 * Serves requests and runs jobs until SIGTERM or SIGINT, including jobs that other processes stored. Then running jobs that do not end
 * soon go back to the queue, open requests are answered, and telemetry is sent.
 */
export async function start(options: Arguments): Promise<number> {
  const stopped = new Promise<string>((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  const stopping = new AbortController();
  await using app = await openApp(options);
  await using service = await startService(withRecord(app, stopping.signal), options.port ?? 3_000);
  await using worker = await app.work();
  console.log(`users-api listens on ${service.url}, and writes to ${app.folder}`);
  console.log(`  live page   ${service.url}/jobs/`);
  console.log(`  metrics     ${service.url}/metrics`);
  console.log(`  health      ${service.url}/healthz`);
  console.log(`  enqueue     curl --request POST ${service.url}/digests`);
  console.log(`users-api is stopping (${await stopped})`);
  stopping.abort();
  await Promise.all([worker.stop({ graceMs: 500, abortMs: 2_000 }), service[Symbol.asyncDispose]()]);
  console.log("users-api has stopped");
  return 0;
}

/** An application that removes the record of each run when its last job has ended. */
function withRecord(app: App, signal: AbortSignal): App {
  const finish = async (run: EnqueuedRun): Promise<void> => {
    while (!signal.aborted && (await app.countLeft().catch(() => 1)) > 0) {
      await pause(250, undefined, { signal }).catch(() => {});
    }
    if (!signal.aborted) await app.finish(run);
  };
  return {
    ...app,
    async enqueueRun(enqueueSignal) {
      const run = await app.enqueueRun(enqueueSignal);
      void finish(run);
      return run;
    },
  };
}
