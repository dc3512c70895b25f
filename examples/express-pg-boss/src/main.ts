import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob, EngineUnavailableError } from "@nidus/jobs-durable";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { production } from "@nidus/observability";
import express, { type NextFunction, type Request, type Response } from "express";

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
app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
  if (!EngineUnavailableError.isInstance(error)) return next(error);
  // The idempotency key lets the client repeat the request.
  response.status(503).json({ error: "no answer from the database: send the request again" });
});

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
