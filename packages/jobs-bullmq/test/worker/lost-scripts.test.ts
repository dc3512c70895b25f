import { setTimeout as pause } from "node:timers/promises";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { Queue } from "bullmq";
import { expect, it } from "vitest";
import { describeEngines } from "../support/describe-engines.ts";

/** Makes Redis forget all scripts, as an administrator may, and as Redis does by itself if it holds very many. */
async function flushScripts(url: string): Promise<void> {
  const admin = new Queue("admin", { connection: { url } });
  const client = (await admin.client) as unknown as { script(...words: string[]): Promise<unknown> };
  await client.script("FLUSH");
  await admin.close();
}

describeEngines("Redis that forgets its scripts", ({ bullmqEngine, redis }) => {
  interface Step {
    readonly fails: boolean;
    readonly flushes: boolean;
  }

  /** An engine whose handler makes Redis forget its scripts. A lost job would come again after half a minute, too late here. */
  async function open() {
    const recorder = recordingObserver();
    const errors: unknown[] = [];
    const engine: JobEngine = await bullmqEngine({
      runner: new ObservedJobRunner(recorder),
      connection: { url: redis().url },
      queue: `forgetting-${crypto.randomUUID()}`,
      onError: (error) => errors.push(error),
    });
    const job = defineJob<Step>({
      name: "step",
      maxAttempts: 1,
      async run({ fails, flushes }, { progress }) {
        progress(0.5);
        if (flushes) await flushScripts(redis().url);
        if (fails) throw new Error("out of paper");
      },
    });
    return { engine, job, recorder, errors, [Symbol.asyncDispose]: () => engine.close() };
  }

  it("records each outcome, with its errors and its progress", async () => {
    await using opened = await open();
    const { engine, job, recorder, errors } = opened;
    await engine.work({ jobs: [job] });
    // The first run makes the scripts known. The second is the first after they are lost.
    for (const flushes of [false, true, true]) {
      const failed = await engine.enqueue(job, { fails: true, flushes });
      await expect(engine.result(failed.id)).rejects.toThrow("out of paper");
      expect((await engine.job(failed.id))?.errors).toMatchObject([{ attempt: 1, message: "out of paper" }]);
      const kept = await engine.enqueue(job, { fails: false, flushes }, { retainMs: 2 * 86_400_000 });
      await engine.result(kept.id);
      expect((await engine.job(kept.id))?.progress).toMatchObject({ fraction: 0.5 });
    }
    const pair = ["dead-lettered", "succeeded"];
    expect(recorder.outcomesOf("step")).toEqual([...pair, ...pair, ...pair]);
    expect(errors).toEqual([]);
  });

  it("records the outcome of a job with a key that is cancelled, by the first worker that Redis sees", async () => {
    await using opened = await open();
    const { engine, recorder, errors } = opened;
    const cancelled = defineJob({
      name: "cancelled",
      maxAttempts: 1,
      async run(_payload, { signal, delivery }) {
        await engine.cancel(delivery?.jobId ?? "");
        await pause(60_000, undefined, { signal });
      },
    });
    await flushScripts(redis().url);
    await engine.work({ jobs: [cancelled] });
    await engine.enqueue(cancelled, undefined, { idempotencyKey: "key" });
    await expect.poll(() => recorder.outcomesOf("cancelled"), { timeout: 20_000 }).toEqual(["cancelled"]);
    expect(await engine.enqueue(cancelled, undefined, { idempotencyKey: "key" })).toMatchObject({
      isDuplicate: true,
    });
    expect(errors).toEqual([]);
  });

  it("keeps a note whose script alone is lost", async () => {
    await using opened = await open();
    const { engine, job, errors } = opened;
    const other = defineJob({ name: "other", run: () => pause(1) });
    await engine.work({ jobs: [job, other], concurrency: 2 });
    const first = await engine.enqueue(job, { fails: true, flushes: false });
    await expect(engine.result(first.id)).rejects.toThrow("out of paper");
    await flushScripts(redis().url);
    // A success without a note sends BullMQ's own script again.
    await engine.result((await engine.enqueue(other)).id);
    const failed = await engine.enqueue(job, { fails: true, flushes: false });
    await expect(engine.result(failed.id)).rejects.toThrow("out of paper");
    expect((await engine.job(failed.id))?.errors).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});
