import { AsyncJobQueue, asyncJob } from "@nidus/jobs-core";
import { production } from "@nidus/observability";

const observability = production("thumbnails").prometheus();
const runner = observability.jobRunner();
const queue = new AsyncJobQueue();

for (const photo of ["harbour.jpg", "garden.jpg", "broken.jpg"]) {
  queue.push(
    asyncJob("make_thumbnail", async (signal) => {
      signal.throwIfAborted();
      if (photo === "broken.jpg") throw new Error(`${photo} is no image`);
    }),
  );
}

const report = await queue.drain({ runner, concurrency: 2, signal: AbortSignal.timeout(10_000) });
console.log(`${report.completed.length} thumbnails, ${report.failed.length} failed`);
for (const { jobName, error } of report.failed) console.log(`${jobName}: ${error.message}`);

const lines = (await observability.metrics()).split("\n");
console.log(lines.filter((line) => line.startsWith("nidus_jobs_finished_total")).join("\n"));
