// A BullMQ worker whose processor is wrapped, with dd-trace and its plugin of BullMQ. It runs one job.
import { once } from "node:events";
import { observeBullmqProcessor } from "@nidus/jobs-bullmq";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import { Queue, Worker } from "bullmq";

const { default: tracer } = await import(process.env.TRACER);
new tracer.TracerProvider().register();
const runner = new ObservedJobRunner(otelJobObserver());
const connection = { url: process.argv[2] };
const queue = new Queue("wrapped", { connection });
const worker = new Worker(
  "wrapped",
  observeBullmqProcessor(runner, () => tracer.trace("compose", async () => "sent")),
  { connection },
);
const completed = once(worker, "completed");
await tracer.trace("POST /orders", () => queue.add("send", {}));
await completed;
await worker.close();
await queue.close();
