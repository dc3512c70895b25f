// A service with dd-trace, as the guide sets it up. It enqueues a job within a request, runs it twice, and prints the job's id and headers.
import { setTimeout as pause } from "node:timers/promises";
import { asyncJob } from "@nidus/jobs-core";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { messagingSpanConvention, otelJobObserver } from "@nidus/jobs-otel";

const { default: tracer } = await import(process.env.TRACER);
const [name, url, propagation] = process.argv.slice(2);
new tracer.TracerProvider().register();
const convention = messagingSpanConvention;
const runner = new ObservedJobRunner(otelJobObserver({ convention, propagation }));

const engines = {
  memory: async () => memoryEngine({ runner }),
  bullmq: async () => {
    const { bullmqEngine } = await import("@nidus/jobs-bullmq");
    return bullmqEngine({ runner, connection: { url }, queue: "datadog" });
  },
  "pg-boss": async () => {
    const { pgBossEngine } = await import("@nidus/jobs-pg-boss");
    return pgBossEngine({ runner, connectionString: url, schema: "datadog" });
  },
};
const engine = await engines[name]();
let attempts = 0;
let headers;
const sendDigest = defineJob({
  name: "send_digest",
  backoff: { fixedMs: 1_500 },
  run: async (_payload, { delivery }) => {
    headers = Object.keys(delivery.carrier ?? {}).sort();
    await tracer.trace("compose", async () => {});
    // Between the attempts, the worker polls in vain.
    if (++attempts === 1) throw new Error("the mail server is away");
  },
});
const worker = await tracer.trace("boot", () => engine.work({ jobs: [sendDigest] }));
const { id } = await tracer.trace("POST /orders", async () => {
  await runner.runAsync(asyncJob("render", async () => {}));
  return engine.enqueue(sendDigest, { to: "ada" });
});
while ((await engine.job(id)).state !== "succeeded") await pause(100);
await worker.stop();
await engine.close();
console.log(JSON.stringify({ id, headers }));
