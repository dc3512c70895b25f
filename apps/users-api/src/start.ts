import { openApp } from "./app.ts";
import type { Arguments } from "./command-line.ts";
import { startService } from "./service.ts";

/**
 * Serves requests and runs jobs until SIGTERM or SIGINT, including jobs that other processes stored. Then running jobs that do not end
 * soon go back to the queue, open requests are answered, and telemetry is sent.
 */
export async function start(options: Arguments): Promise<number> {
  const stopped = new Promise<string>((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  await using app = await openApp(options);
  await using service = await startService(app, options.port ?? 3_000);
  await app.refreshUsers(options.refresh);
  await using worker = await app.work();
  console.log(`users-api listens on ${service.url}, and writes to ${app.folder}`);
  console.log(`  live page   ${service.url}/jobs/`);
  console.log(`  metrics     ${service.url}/metrics`);
  console.log(`  health      ${service.url}/healthz`);
  console.log(`  enqueue     curl --request POST ${service.url}/digests`);
  console.log(`users-api is stopping (${await stopped})`);
  service.stopping.abort();
  await worker.stop({ graceMs: 500, abortMs: 2_000 });
  await service[Symbol.asyncDispose]();
  console.log("users-api has stopped");
  return 0;
}
