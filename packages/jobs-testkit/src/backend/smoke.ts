import assert from "node:assert/strict";
import type { TestBody } from "../contract/test-plan.ts";
import { allStored, type BackendKit } from "./backend-kit.ts";

/** Stores one job, leases it and records its success. */
export const smoke: TestBody<BackendKit> = async (kit) => {
  const backend = await kit.open();
  const name = kit.name("smoke");
  const job = kit.job(name);
  const answers = await backend.insert([job], {});
  assert.deepEqual(answers, allStored([job]), "`insert` says of each job that it was stored");
  const consumer = await kit.consumer(backend, name);
  const leased = await consumer.next(15_000);
  assert.equal(leased.id, job.id, "`fetch` brought another job");
  assert.equal(await consumer.settle(leased, { type: "succeeded" }), true, "the success was not recorded");
};
