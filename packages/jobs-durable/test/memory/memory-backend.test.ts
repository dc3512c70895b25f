import { describe, expect, it } from "vitest";
import { MemoryBackend } from "../../src/memory/memory-backend.ts";
import { newJob } from "../support/new-job.ts";

const envelopeText = '{"payload":{"n":1}}';
const never = new AbortController().signal;

describe("MemoryBackend", () => {
  it("records nothing for a worker whose job has passed to another", async () => {
    const backend = new MemoryBackend(1e9, 1e9);
    await backend.insert([newJob("job-1", { envelopeText })]);
    const [first, second] = await Promise.all([backend.consumer(["a"]), backend.consumer(["a"])]);
    const [early] = await first.fetch(1, never);
    if (early === undefined) throw new Error("nothing was fetched");
    expect(await first.settle(early, { type: "released" })).toEqual({ isRecorded: true });
    const [late] = await second.fetch(1, never);
    if (late === undefined) throw new Error("nothing was fetched");
    expect(await first.settle(early, { type: "succeeded" })).toEqual({ isRecorded: false });
    expect(await second.settle(late, { type: "succeeded" })).toEqual({ isRecorded: true });
  });

  it("cancels a waiting job with all others, although it was asked to end when it ran", async () => {
    const backend = new MemoryBackend(1e9, 1e9);
    await backend.insert([newJob("job-1", { envelopeText })]);
    const consumer = await backend.consumer(["a"]);
    const [job] = await consumer.fetch(1, never);
    if (job === undefined) throw new Error("nothing was fetched");
    await backend.cancel("job-1");
    expect(await backend.cancelAll("a", ["job-1"]), "it was asked before").toEqual([]);
    await consumer.settle(job, { type: "released" });
    expect(await backend.cancelAll("a", ["job-1"])).toEqual(["job-1"]);
  });

  it("gives out copies: what one delivery does to its own is not seen by the next", async () => {
    const backend = new MemoryBackend(1e9, 1e9);
    await backend.insert([newJob("job-1", { envelopeText })]);
    const consumer = await backend.consumer(["a"]);
    const [first] = await consumer.fetch(1, never);
    if (first === undefined) throw new Error("nothing was fetched");
    const enqueuedAtMs = first.enqueuedAt.getTime();
    (first.envelope.payload as { n: number }).n = 2;
    first.enqueuedAt.setTime(0);
    await consumer.settle(first, { type: "released" });
    const [second] = await consumer.fetch(1, never);
    expect(second?.envelope.payload).toEqual({ n: 1 });
    expect(second?.enqueuedAt.getTime()).toBe(enqueuedAtMs);
  });

  it("wakes a fetch when a job arrives, and ends it when its signal is aborted", async () => {
    const backend = new MemoryBackend(1e9, 1e9);
    const consumer = await backend.consumer(["a"]);
    const fetching = consumer.fetch(5, never);
    await backend.insert([newJob("job-1", { envelopeText })]);
    expect((await fetching).map(({ id }) => id)).toEqual(["job-1"]);
    const controller = new AbortController();
    const waiting = consumer.fetch(5, controller.signal);
    controller.abort();
    expect(await waiting).toEqual([]);
    expect(await consumer.fetch(5, controller.signal)).toEqual([]);
  });

  it("knows its backlog by name", async () => {
    const backend = new MemoryBackend(1e9, 1e9);
    await backend.insert([newJob("job-1", { envelopeText }), newJob("job-2", { envelopeText })]);
    expect(await backend.backlog()).toEqual([
      {
        jobName: "a",
        waiting: 2,
        oldestWaitingAt: expect.any(Date),
        deadLettered: 0,
        oldestDeadLetterAt: undefined,
      },
    ]);
  });
});
