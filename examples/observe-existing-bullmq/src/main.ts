import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { observeBullmqProcessor } from "@nidus/jobs-bullmq";
import { production } from "@nidus/observability";
import { type Job, Queue, Worker } from "bullmq";

const { REDIS_URL = "redis://127.0.0.1:6379", PORT = "9464" } = process.env;
const connection = { url: REDIS_URL };

const observability = production("mailer").prometheus();
const runner = observability.jobRunner();

async function sendMail(job: Job<{ to: string }>): Promise<void> {
  if (!job.data.to.includes("@")) throw new Error(`${job.data.to} is no address`);
  console.log(`mail for ${job.data.to}`);
}

// Before: new Worker("mails", sendMail, { connection })
const worker = new Worker("mails", observeBullmqProcessor(runner, sendMail), { connection });
await worker.waitUntilReady();

const server = createServer(observability.metricsHandler()).listen(Number(PORT), "127.0.0.1");
await once(server, "listening");
console.log(`metrics on http://127.0.0.1:${(server.address() as AddressInfo).port}`);

const queue = new Queue("mails", { connection });
await queue.add("send_mail", { to: "ada@example.org" });
await queue.add("send_mail", { to: "nowhere" });

await once(process, "SIGTERM");
await worker.close();
await queue.close();
await observability.shutdown();
server.close();
console.log("stopped");
