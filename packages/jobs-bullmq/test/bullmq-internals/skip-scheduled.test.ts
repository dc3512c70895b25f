import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import type { RedisClient } from "../../src/bullmq-internals/index.ts";
import { skipScheduled } from "../../src/bullmq-internals/index.ts";
import { majors, plainQueue } from "../support/each-bullmq.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

/** A waiting job with a cancel request, and where the skipping of it is noted. */
async function requested(queue: Awaited<ReturnType<typeof plainQueue>>) {
  const job = await queue.queue.add("send", {}, { jobId: "run 1", removeOnComplete: { age: 60 } });
  const jobId = job.id as string;
  const [requests, cancellations] = [queue.key("requests"), queue.key("cancellations")];
  const client = queue.client as unknown as RedisClient;
  await client.hset(requests, { [jobId]: "1" });
  return {
    jobId,
    client,
    keys: { queue: queue.key(""), requests, cancellations, retainedMs: 60_000 },
    async noted() {
      return {
        isRequested: jobId in (await client.hgetall(requests)),
        isListed: (await queue.client.zscore(cancellations, jobId)) !== null,
        hasCopy: Object.keys(await client.hgetall(`${cancellations}:${jobId}`)).length > 0,
      };
    },
  };
}

describe.skipIf(redis === undefined).each(majors)("skipScheduled on BullMQ $version", ({ bullmq }) => {
  it("keeps a copy of the job that BullMQ removes, and forgets its request", async () => {
    await using queue = await plainQueue(redis, bullmq);
    const { client, keys, jobId, noted } = await requested(queue);
    await skipScheduled(client, keys, jobId, async () => void (await queue.queue.remove(jobId)));
    expect(await noted()).toEqual({ isRequested: false, isListed: true, hasCopy: true });
  });

  it("leaves a job to its worker that has started meanwhile, with its request", async () => {
    await using queue = await plainQueue(redis, bullmq);
    const { client, keys, jobId, noted } = await requested(queue);
    await skipScheduled(client, keys, jobId, async () => void (await queue.take("token")));
    expect(await noted()).toEqual({ isRequested: true, isListed: false, hasCopy: false });
  });

  it("forgets the copy if the next run could not be stored, and does nothing for a job that has started", async () => {
    await using queue = await plainQueue(redis, bullmq);
    const { client, keys, jobId, noted } = await requested(queue);
    const away = new Error("away");
    await expect(skipScheduled(client, keys, jobId, () => Promise.reject(away))).rejects.toBe(away);
    expect(await noted()).toEqual({ isRequested: true, isListed: false, hasCopy: false });
    await queue.take("token");
    await skipScheduled(client, keys, jobId, async () => {
      throw new Error("it has started");
    });
    expect(await noted()).toEqual({ isRequested: true, isListed: false, hasCopy: false });
  });
});
