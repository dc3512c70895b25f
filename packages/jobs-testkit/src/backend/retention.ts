import assert from "node:assert/strict";
import type { JobBackend, NewJob } from "@nidus/jobs-durable/backend";
import { assertForgotten, longRetentionMs, shortRetentionMs } from "../contract/retention.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { type BackendKit, countsOf } from "./backend-kit.ts";

export const retention: Behaviour<BackendKit> = (declare) => {
  declare(
    "forgets jobs that succeeded or were cancelled when it is over, and frees their ids",
    async (kit) => {
      const backend = await kit.openWithRetention({
        retainSucceededMs: shortRetentionMs,
        retainDeadLettersMs: longRetentionMs,
      });
      if (backend === undefined) return;
      const { name, endedMs, succeeded, cancelled, failed } = await threeEnds(kit, backend);
      const count = async (state: "succeeded" | "cancelled"): Promise<number> =>
        (await countsOf(backend, name))[state];
      await Promise.all([
        assertForgotten("a job that succeeded", endedMs, () => count("succeeded")),
        assertForgotten("a cancelled job", endedMs, () => count("cancelled")),
      ]);
      assert.equal((await countsOf(backend, name)).deadLettered, 1, "dead letters have their own retention");
      assert.deepEqual(await areTaken(backend, [succeeded, cancelled, failed]), [false, false, true]);
    },
  );

  declare("forgets dead letters when theirs is over, and frees their ids", async (kit) => {
    const backend = await kit.openWithRetention({
      retainSucceededMs: longRetentionMs,
      retainDeadLettersMs: shortRetentionMs,
    });
    if (backend === undefined) return;
    const { name, endedMs, succeeded, cancelled, failed } = await threeEnds(kit, backend);
    const countFailed = async (): Promise<number> => (await countsOf(backend, name)).deadLettered;
    await assertForgotten("a dead letter", endedMs, countFailed);
    const listed = (await backend.deadLetters(10_000)).some(({ id }) => id === failed.id);
    assert.equal(listed, false, "`deadLetters` lists a job that `counts` has forgotten");
    assert.equal(await backend.redrive(failed.id), false, "a forgotten dead letter cannot be redriven");
    assert.deepEqual(await areTaken(backend, [succeeded, cancelled, failed]), [true, true, false]);
  });
};

interface ThreeEnds {
  readonly name: string;
  /** A reading of `performance.now()` from before the first of them ended. */
  readonly endedMs: number;
  readonly succeeded: NewJob;
  readonly cancelled: NewJob;
  readonly failed: NewJob;
}

/** Stores three jobs and ends each in another way. */
async function threeEnds(kit: BackendKit, backend: JobBackend): Promise<ThreeEnds> {
  const name = kit.name("ended");
  const [cancelled, succeeded, failed] = [kit.job(name), kit.job(name), kit.job(name)].map((job) => ({
    ...job,
    hasIdempotencyKey: true,
  })) as [NewJob, NewJob, NewJob];
  await backend.insert([cancelled, succeeded, failed], {});
  const consumer = await kit.consumer(backend, name);
  const endedMs = performance.now();
  assert.equal(await backend.cancel(cancelled.id), true);
  for (const job of await consumer.take(2)) {
    const isFailed = job.id === failed.id;
    const outcome = isFailed
      ? ({ type: "dead-lettered", error: "no" } as const)
      : ({ type: "succeeded" } as const);
    assert.equal(await consumer.settle(job, outcome), true, "the lease of the fixture is too short");
  }
  return { name, endedMs, succeeded, cancelled, failed };
}

/** Stores jobs again. Resolves, in their order, to whether the id was taken. */
async function areTaken(backend: JobBackend, jobs: readonly NewJob[]): Promise<boolean[]> {
  return (await backend.insert(jobs, {})).map(({ isDuplicate }) => isDuplicate);
}
