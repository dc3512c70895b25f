import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob } from "@nidus/jobs-durable";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { production } from "@nidus/observability";
import express from "express";

const { DATABASE_URL, PORT = "3000" } = process.env;

const sendWelcome = defineJob<{ to: string }>({
  name: "send_welcome",
  maxAttempts: 5,
  run: async ({ to }) => console.log(`welcome, ${to}`),
});

const observability = production("accounts").prometheus();
const runner = observability.jobRunner();
const engine = await pgBossEngine(
  DATABASE_URL === undefined
    ? { runner, dataDir: await mkdtemp(join(tmpdir(), "accounts-")) }
    : { runner, connectionString: DATABASE_URL },
);
const worker = await engine.work({ jobs: [sendWelcome], concurrency: 10 });

const app = express();
app.use(express.json());
app.post("/accounts", async (request, response) => {
  const to: unknown = request.body?.email;
  if (typeof to !== "string" || !to.includes("@")) {
    response.status(400).json({ error: "send JSON with an `email`" });
    return;
  }
  const { id, isDuplicate } = await engine.enqueue(sendWelcome, { to }, { idempotencyKey: `welcome:${to}` });
  response.status(202).json({ id, isDuplicate });
});
app.get("/metrics", observability.metricsHandler());

const server = app.listen(Number(PORT), "127.0.0.1");
await once(server, "listening");
console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);

await once(process, "SIGTERM");
server.closeIdleConnections();
await worker.stop({ graceMs: 10_000 });
await engine.close();
await observability.shutdown();
server.close();
console.log("stopped");
