import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { Worker } from "bullmq";
import { run } from "graphile-worker";

/** Handlers at a time, in each worker. */
const concurrency = 10;

/** Tells the parent that a job was picked up, by the clock that all processes of a machine share. */
function pickedUp(): void {
  process.send?.(String(process.hrtime.bigint()));
}

async function work(opening: Promise<JobEngine>): Promise<void> {
  const engine = await opening;
  await engine.work({ jobs: [defineJob({ name: "picked_up", run: pickedUp })], concurrency });
}

const [side, url = ""] = process.argv.slice(2);
const runner = new ObservedJobRunner();
if (side === "pg-boss") await work(pgBossEngine({ runner, connectionString: url }));
else if (side === "bullmq") await work(bullmqEngine({ runner, connection: { url } }));
else if (side === "bare-bullmq") {
  await new Worker("bare", async () => pickedUp(), { connection: { url }, concurrency }).waitUntilReady();
} else {
  const taskList = { picked_up: async () => pickedUp() };
  await run({ connectionString: url, taskList, concurrency, noHandleSignals: true });
}
process.send?.("ready");
