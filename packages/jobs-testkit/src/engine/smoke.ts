import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { TestBody } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

const withinMs = 15_000;

/** Enqueues one job and runs it. */
export const smoke: TestBody<Kit> = async (kit) => {
  const { engine, recorder } = await kit.open();
  const job = defineJob<string>({ name: kit.name("smoke"), run() {} });
  const { id } = await engine.enqueue(job, "payload");
  assert.equal(typeof id, "string", "`enqueue` resolves to the job's id");
  await engine.work({ jobs: [job] });
  await eventually(() => {
    assert.ok(recorder.runsOf(job.name).length > 0, "a job was enqueued, and the worker does not run it");
    const [outcome] = recorder.outcomesOf(job.name);
    assert.equal(outcome, "succeeded", "the job has run, and its success was not recorded");
  }, withinMs);
};
