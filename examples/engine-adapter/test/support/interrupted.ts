import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { journalEngine } from "../../src/index.ts";

// This process is killed while it runs the second of three jobs.

const [file = ""] = process.argv.slice(2);
const engine = journalEngine({ runner: new ObservedJobRunner(), file });
const task = defineJob<string>({
  name: "task",
  async run(payload) {
    if (payload !== "second") return;
    console.log("the second runs");
    await new Promise(() => setInterval(() => {}, 1_000));
  },
});
await engine.enqueueMany(task, ["first", "second", "third"]);
await engine.work({ jobs: [task] });
