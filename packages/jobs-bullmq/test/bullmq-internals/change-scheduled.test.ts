import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import type { RedisClient } from "../../src/bullmq-internals/index.ts";
import { changeScheduled, readSchedulers, schedulerId } from "../../src/bullmq-internals/index.ts";
import { majors, plainQueue } from "../support/each-bullmq.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

const id = schedulerId("send", undefined);

/** A queue with a scheduler, whose next job waits in line before another one. */
async function scheduled(bullmq: Parameters<typeof plainQueue>[1]) {
  const queue = await plainQueue(redis, bullmq);
  const client = queue.client as unknown as RedisClient;
  const template = { name: "send", data: { of: "before" }, opts: { attempts: 2 } };
  const next = await queue.queue.upsertJobScheduler(id, { pattern: "0 0 1 1 *" }, template);
  await next?.promote();
  await queue.queue.add("other", {}, { priority: 5 });
  const [scheduler] = await readSchedulers(client, queue.key("names"), ["send"], () => queue.key(""));
  if (scheduler === undefined) throw new Error("no scheduler was stored");
  const change = (options: object): Promise<boolean> =>
    changeScheduled(client, queue.key(""), scheduler, { of: "after" }, options);
  return { queue, change };
}

describe.skipIf(redis === undefined).each(majors)("changeScheduled on BullMQ $version", ({ bullmq }) => {
  it("changes the next job in its place, and those that follow it", async () => {
    const { queue: opened, change } = await scheduled(bullmq);
    await using queue = opened;
    expect(await change({ attempts: 3 })).toBe(true);
    const { name, data, opts } = await queue.take("token");
    expect([name, data, opts.attempts]).toEqual(["send", { of: "after" }, 3]);
    expect((await queue.queue.getJobScheduler(id))?.template).toEqual({
      data: { of: "after" },
      opts: { attempts: 3 },
    });
  });

  it("puts a job of another priority where that belongs", async () => {
    const { queue: opened, change } = await scheduled(bullmq);
    await using queue = opened;
    expect(await change({ priority: 9 })).toBe(true);
    const [{ id: jobId } = { id: undefined }] = await queue.queue.getDelayed();
    // BullMQ makes it wait when it is due.
    await (await queue.queue.getJob(String(jobId)))?.promote();
    expect([(await queue.take("a")).name, (await queue.take("b")).name]).toEqual(["other", "send"]);
  });

  it("leaves a job alone that has started", async () => {
    const { queue: opened, change } = await scheduled(bullmq);
    await using queue = opened;
    const { data } = await queue.take("token");
    expect(await change({ attempts: 3 })).toBe(false);
    expect(data).toEqual({ of: "before" });
    expect((await queue.queue.getJobScheduler(id))?.template?.data).toEqual({ of: "before" });
  });
});
