import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";

const engine = await bullmqEngine({
  runner: new ObservedJobRunner(),
  connection: { url: process.argv[2] },
  leaseMs: 1_000,
});
const doomed = defineJob({
  name: "doomed",
  run: () => new Promise(() => console.log("running")),
});
await engine.work({ jobs: [doomed] });
